import {
  History24Regular,
  ServerMultipleRegular,
  ShieldCheckmark24Regular,
  ShieldError24Regular,
} from '@fluentui/react-icons';
import type { Workspace } from '../../api/types';
import { formatCount } from '../../ui/format';
import { KpiCard } from '../../ui/KpiCard';
import { healthOf, troublesOf } from './health';

/** What changed in all workspaces, and whether anybody is watching there. */
export function WorkspaceKpis({ workspaces }: { workspaces: readonly Workspace[] }) {
  const enabled = workspaces.filter(({ state }) => state === 'enabled');
  const sum = (count: (workspace: Workspace) => number, of = workspaces) =>
    of.reduce((total, workspace) => total + count(workspace), 0);
  const machines = sum((workspace) => workspace.machines);
  const reporting = sum((workspace) => workspace.machinesReporting);
  const gaps = sum(troublesOf, enabled);
  const unmonitored = machines - sum((workspace) => workspace.machines, enabled);
  const watched = workspaces.filter((workspace) => healthOf(workspace) === 'watching').length;
  return (
    <div className="kpis four">
      <KpiCard
        icon={<History24Regular />}
        value={formatCount(sum(({ changesLastWeek }) => changesLastWeek ?? 0))}
        label="Changes last week"
      />
      <KpiCard
        icon={<ServerMultipleRegular />}
        value={
          <>
            {formatCount(reporting)}
            <small> / {formatCount(machines)}</small>
          </>
        }
        label="Machines reporting"
        note={machinesNote(machines, machines - reporting, unmonitored)}
        {...(reporting < machines ? { tone: 'warn' as const } : {})}
      />
      <KpiCard
        icon={<ShieldCheckmark24Regular />}
        value={`${formatCount(watched)} of ${formatCount(workspaces.length)}`}
        label="Workspaces fully watched"
        {...(watched < workspaces.length ? { tone: 'warn' as const } : {})}
      />
      <KpiCard
        icon={<ShieldError24Regular />}
        value={formatCount(gaps)}
        label="Open gaps"
        note={gaps > 0 && <span className="bad">not all is watched</span>}
        {...(gaps > 0 ? { tone: 'warn' as const } : {})}
      />
    </div>
  );
}

/** Of the machines, how many are not heard and how many belong to workspaces in which monitoring is off. */
function machinesNote(machines: number, silent: number, unmonitored: number) {
  if (machines === 0) return 'none enrolled';
  if (silent === 0 && unmonitored === 0) return 'all of them';
  return (
    <>
      {silent > 0 && <span className="bad">{formatCount(silent)} not reporting</span>}
      {silent > 0 && unmonitored > 0 && ', '}
      {unmonitored > 0 && `${formatCount(unmonitored)} not monitored`}
    </>
  );
}
