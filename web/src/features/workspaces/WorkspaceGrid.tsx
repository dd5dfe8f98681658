import type { ReactNode } from 'react';
import './workspaces.css';
import type { Workspace } from '../../api/types';
import { trendInWords, trendValues } from '../../domain/trend';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { formatCount } from '../../ui/format';
import { Sparkline } from '../../ui/Sparkline';
import { healthOf } from './health';
import { WorkspaceStatus } from './WorkspaceStatus';

type Props = {
  workspaces: readonly Workspace[];
  empty: ReactNode;
  onOpen(workspace: Workspace): void;
  onEnable(workspace: Workspace): void;
  /** Why the user may not enable monitoring; undefined if they may. */
  refusal: string | undefined;
};

export function WorkspaceGrid({ workspaces, empty, onOpen, onEnable, refusal }: Props) {
  const columns: Column<Workspace>[] = [
    ...COLUMNS,
    {
      id: 'state',
      header: 'Status',
      value: healthOf,
      width: '132px',
      narrowWidth: '124px',
      cell: (workspace) => (
        <WorkspaceStatus workspace={workspace} refusal={refusal} onEnable={() => onEnable(workspace)} />
      ),
    },
  ];
  return (
    <DataGrid
      label="Workspaces"
      rows={workspaces}
      rowId={({ id }) => id}
      rowHeight={52}
      onOpen={onOpen}
      empty={empty}
      columns={columns}
    />
  );
}

const COLUMNS: readonly Column<Workspace>[] = [
  {
    id: 'name',
    header: 'Workspace',
    value: ({ name }) => name,
    width: 'minmax(200px, 1.6fr)',
    cell: ({ name, location }) => (
      <span className="workspace-name">
        <b className="grid-link">{name}</b>
        <span className="narrow-note">{location}</span>
      </span>
    ),
  },
  {
    id: 'changes',
    header: 'Changes (7 d)',
    value: ({ changesLastWeek }) => changesLastWeek,
    width: '112px',
    narrowWidth: '88px',
    align: 'end',
    // A dash, not a nought: nobody looked.
    cell: ({ changesLastWeek }) => <b>{changesLastWeek === null ? '–' : formatCount(changesLastWeek)}</b>,
  },
  {
    id: 'trend',
    header: 'Trend',
    value: ({ changesLastWeek }) => changesLastWeek,
    width: '116px',
    hideNarrow: true,
    cell: ({ changesLastWeek, trend, name }) => (
      <Sparkline
        values={changesLastWeek === null ? [] : trendValues(trend)}
        label={`Changes of ${name} on each of the last ${trend.length} days: ${trendInWords(trend)}`}
      />
    ),
  },
  {
    id: 'machines',
    header: 'Machines reporting',
    value: ({ machinesReporting }) => machinesReporting,
    width: '184px',
    hideNarrow: true,
    cell: ({ machines, machinesReporting, windows, linux }) => (
      <span className="tabular">
        <span className={machinesReporting < machines ? 'bad' : undefined}>
          {formatCount(machinesReporting)} / {formatCount(machines)}
        </span>{' '}
        <span className="muted">
          ({formatCount(windows)} Win · {formatCount(linux)} Linux)
        </span>
      </span>
    ),
  },
  { id: 'location', header: 'Location', value: ({ location }) => location, hideNarrow: true },
  { id: 'subscription', header: 'Subscription', value: ({ subscription }) => subscription, hideNarrow: true },
];
