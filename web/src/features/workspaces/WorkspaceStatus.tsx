import { Button } from '@fluentui/react-components';
import type { Workspace } from '../../api/types';
import { StatusDot } from '../../ui/StatusDot';
import { WithReason } from '../../ui/WithReason';

type Props = { workspace: Workspace; refusal: string | undefined; onEnable(): void };

export function WorkspaceStatus({ workspace, refusal, onEnable }: Props) {
  switch (workspace.state) {
    case 'enabled':
      return <StatusDot tone="good">Enabled</StatusDot>;
    case 'disabled':
      return (
        <WithReason reason={refusal}>
          <Button
            size="small"
            appearance="primary"
            disabled={refusal !== undefined}
            aria-label={`Enable ${workspace.name}`}
            onClick={(event) => {
              // The row behind the button opens the workspace.
              event.stopPropagation();
              onEnable();
            }}
          >
            Enable
          </Button>
        </WithReason>
      );
    case 'upgrade':
      return <StatusDot tone="off">Not in plan</StatusDot>;
  }
}
