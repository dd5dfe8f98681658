import type { ReactNode } from 'react';

type Props = { value: ReactNode; label: string; note?: ReactNode; icon?: ReactNode; tone?: 'warn' };

export function KpiCard({ value, label, note, icon, tone }: Props) {
  return (
    <div className={`card kpi${tone ? ` ${tone}` : ''}`}>
      {icon && (
        <span className="kpi-icon" aria-hidden="true">
          {icon}
        </span>
      )}
      <div>
        <div className="kpi-value">{value}</div>
        <div className="kpi-label">{label}</div>
        {note && <div className="kpi-note">{note}</div>}
      </div>
    </div>
  );
}
