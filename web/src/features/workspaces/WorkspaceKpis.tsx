import {
  History24Regular,
  ServerMultipleRegular,
  ShieldCheckmark24Regular,
  ShieldError24Regular,
} from '@fluentui/react-icons';
import type { Workspace } from '../../api/types';
import { formatCount } from '../../ui/format';
import { KpiCard } from '../../ui/KpiCard';

export function WorkspaceKpis({ workspaces }: { workspaces: readonly Workspace[] }) {
  const enabled = workspaces.filter(({ state }) => state === 'enabled');
  const machines = countMachines(workspaces);
  const unmonitored = machines - countMachines(enabled);
  const changes = workspaces.reduce((sum, { changesLastWeek }) => sum + (changesLastWeek ?? 0), 0);
  return (
    <div className="kpis four">
      <KpiCard icon={<History24Regular />} value={formatCount(changes)} label="Changes last week" />
      <KpiCard icon={<ServerMultipleRegular />} value={formatCount(machines)} label="Machines" />
      <KpiCard
        icon={<ShieldCheckmark24Regular />}
        value={`${enabled.length} of ${workspaces.length}`}
        label="Workspaces protected"
      />
      <KpiCard
        icon={<ShieldError24Regular />}
        value={formatCount(unmonitored)}
        label="Machines not monitored"
        {...(unmonitored > 0 ? { tone: 'warn' as const } : {})}
      />
    </div>
  );
}

function countMachines(workspaces: readonly Workspace[]): number {
  return workspaces.reduce((sum, { machines }) => sum + machines, 0);
}
