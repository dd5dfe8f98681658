import { Button } from '@fluentui/react-components';
import type { Workspace } from '../../api/types';
import { formatCount, formatQuantity } from '../../ui/format';
import { StatusDot } from '../../ui/StatusDot';
import { WithReason } from '../../ui/WithReason';
import { healthOf, troublesOf } from './health';

type Props = { workspace: Workspace; refusal: string | undefined; onEnable(): void };

/** What a person has to know first of a workspace, or the button that turns monitoring on. */
export function WorkspaceStatus({ workspace, refusal, onEnable }: Props) {
  switch (healthOf(workspace)) {
    case 'watching':
      return <StatusDot tone="good">Watching</StatusDot>;
    case 'first-baseline':
      return <StatusDot tone="busy">First baseline</StatusDot>;
    case 'gaps':
      return <StatusDot tone="bad">{formatQuantity(troublesOf(workspace), 'open gap')}</StatusDot>;
    case 'partly-silent':
      return <StatusDot tone="bad">{formatCount(silentOf(workspace))} not reporting</StatusDot>;
    case 'silent':
      return <StatusDot tone="bad">Not watched</StatusDot>;
    case 'no-machine':
      return <StatusDot tone="late">No machine</StatusDot>;
    case 'off':
      return <EnableButton name={workspace.name} refusal={refusal} onEnable={onEnable} />;
    case 'not-in-plan':
      return <StatusDot tone="off">Not in plan</StatusDot>;
  }
}

function silentOf({ machines, machinesReporting }: Workspace): number {
  return machines - machinesReporting;
}

function EnableButton({ name, refusal, onEnable }: Omit<Props, 'workspace'> & { name: string }) {
  return (
    <WithReason reason={refusal}>
      <Button
        size="small"
        appearance="primary"
        disabled={refusal !== undefined}
        aria-label={`Enable ${name}`}
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
}
