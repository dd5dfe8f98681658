import type { ReactNode } from 'react';

type Props = {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  tone?: 'good' | 'warn';
  /** True when this is all that the page shows. */
  page?: boolean;
};

/** Says why there is nothing here and what to do next. */
export function EmptyState({ icon, title, children, action, tone, page }: Props) {
  const Heading = page ? 'h1' : 'h2';
  return (
    <div className={`state${tone ? ` ${tone}` : ''}`}>
      {icon}
      <Heading>{title}</Heading>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}
