import { Button } from '@fluentui/react-components';
import { Desktop24Regular } from '@fluentui/react-icons';
import type { UseQueryResult } from '@tanstack/react-query';
import type { Gap, Machine } from '../../api/types';
import { MachineGrid } from '../../features/machines/MachineGrid';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { LoadingRows } from '../../ui/LoadingRows';
import { WithReason } from '../../ui/WithReason';
import type { OverviewDialog } from './OverviewDialogs';

type Props = {
  query: UseQueryResult<Machine[]>;
  gaps: readonly Gap[];
  refusal: string | undefined;
  /** Shows what changed on it. */
  onOpen(machine: Machine): void;
  onQuery(machine: Machine): void;
  onDialog(dialog: OverviewDialog): void;
};

export function ServersTab({ query, gaps, refusal, onOpen, onQuery, onDialog }: Props) {
  if (query.isPending) return <LoadingRows label="Loading machines" />;
  if (query.error && !query.data) {
    return <ErrorState error={query.error} what="the machines" onRetry={() => void query.refetch()} />;
  }
  return (
    <MachineGrid
      machines={query.data ?? []}
      gaps={gaps}
      refusal={refusal}
      onOpen={onOpen}
      onQuery={onQuery}
      onRemove={(machine) => onDialog({ name: 'remove-machine', machine })}
      empty={
        <EmptyState
          icon={<Desktop24Regular aria-hidden />}
          title="No machine is enrolled"
          action={
            <WithReason reason={refusal}>
              <Button
                appearance="primary"
                disabled={refusal !== undefined}
                onClick={() => onDialog({ name: 'add-machine' })}
              >
                Add a machine…
              </Button>
            </WithReason>
          }
        >
          Nothing is watched until one is. What machines that were removed have recorded stays.
        </EmptyState>
      }
    />
  );
}
