import type { ReactNode } from 'react';

type Props = {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  tone?: 'good' | 'warn';
};

/** Says why there is nothing here and what to do next. */
export function EmptyState({ icon, title, children, action, tone }: Props) {
  return (
    <div className={`state${tone ? ` ${tone}` : ''}`}>
      {icon}
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}
