import { formatCount, formatShare } from './format';

export type Part<K extends string> = { key: K; label: string; count: number; color: string };

type Props<K extends string> = {
  title: string;
  parts: readonly Part<K>[];
  active: string | undefined;
  onToggle(key: K): void;
};

/** A total in parts, each of which is a filter that can be switched on and off. */
export function SplitCard<K extends string>({ title, parts, active, onToggle }: Props<K>) {
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  return (
    <fieldset className="card kpi split">
      <legend className="visually-hidden">{title}, as a filter</legend>
      <div className="kpi-label" aria-hidden="true">
        {title}
      </div>
      <div className="split-bar" aria-hidden="true">
        {parts.map(({ key, count, color }) => (
          <i key={key} style={{ flexGrow: count, background: color }} />
        ))}
      </div>
      <div className="split-parts">
        {parts.map(({ key, label, count, color }) => (
          <button
            key={key}
            type="button"
            title={formatShare(count, total)}
            aria-pressed={active === key}
            onClick={() => onToggle(key)}
          >
            <i style={{ background: color }} aria-hidden="true" />
            {label}
            <b>{formatCount(count)}</b>
            <span className="muted share">{formatShare(count, total)}</span>
          </button>
        ))}
      </div>
    </fieldset>
  );
}
