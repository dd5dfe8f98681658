import type { Machine, Workspace } from '../../api/types';
import { AddMachineDialog } from '../../features/machines/AddMachineDialog';
import { RemoveMachineDialog } from '../../features/machines/RemoveMachineDialog';
import { DisableDialog } from '../../features/monitoring/DisableDialog';
import { EnableDialog } from '../../features/monitoring/EnableDialog';

export type OverviewDialog =
  | { name: 'add-machine' }
  | { name: 'remove-machine'; machine: Machine }
  | { name: 'enable'; workspace: Workspace }
  | { name: 'disable'; workspace: Workspace };

type Props = { ws: string; dialog: OverviewDialog | undefined; onClose(): void };

export function OverviewDialogs({ ws, dialog, onClose }: Props) {
  switch (dialog?.name) {
    case undefined:
      return null;
    case 'add-machine':
      return <AddMachineDialog ws={ws} onClose={onClose} />;
    case 'remove-machine':
      return <RemoveMachineDialog ws={ws} machine={dialog.machine} onClose={onClose} />;
    case 'enable':
      return <EnableDialog workspace={dialog.workspace} onEnabled={onClose} onClose={onClose} />;
    case 'disable':
      return <DisableDialog workspace={dialog.workspace} onClose={onClose} />;
  }
}
