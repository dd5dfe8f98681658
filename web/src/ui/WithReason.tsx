import { Tooltip } from '@fluentui/react-components';
import type { ReactElement } from 'react';

/** Explains a control that may not be used; without a reason it is the control alone. */
export function WithReason({ reason, children }: { reason: string | undefined; children: ReactElement }) {
  if (!reason) return children;
  return (
    <Tooltip content={reason} relationship="description">
      {/* A disabled button takes no pointer, so the tooltip needs something around it that does. */}
      <span className="with-reason">{children}</span>
    </Tooltip>
  );
}
