import { Desktop20Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import './machines.css';
import type { Gap, Machine } from '../../api/types';
import { splitOpenGaps } from '../../domain/gaps';
import { trendInWords, trendValues } from '../../domain/trend';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { formatCount } from '../../ui/format';
import { Sparkline } from '../../ui/Sparkline';
import { AgentStatus } from './AgentStatus';
import { MachineMenu } from './MachineMenu';

type Props = {
  machines: readonly Machine[];
  /** What is not watched, to tell a first baseline from trouble. */
  gaps: readonly Gap[];
  empty: ReactNode;
  /** Shows what changed on it. */
  onOpen(machine: Machine): void;
  onQuery(machine: Machine): void;
  onRemove(machine: Machine): void;
  refusal: string | undefined;
};

export function MachineGrid(props: Props) {
  const { machines, gaps, empty, onOpen, onQuery, onRemove, refusal } = props;
  const columns: Column<Machine>[] = [
    ...IDENTITY,
    {
      id: 'agent',
      header: 'Agent',
      value: ({ lastSeen }) => lastSeen,
      width: 'minmax(184px, 1fr)',
      narrowWidth: 'minmax(0, 1fr)',
      cell: (machine) => (
        <AgentStatus
          machine={machine}
          troubles={splitOpenGaps(machine.openGaps, gaps, machine.name).troubles}
        />
      ),
    },
    ...COUNTS,
    {
      id: 'menu',
      header: '',
      value: () => null,
      sortable: false,
      width: '36px',
      cell: (machine) => (
        <MachineMenu
          machine={machine}
          refusal={refusal}
          onOpen={() => onOpen(machine)}
          onQuery={() => onQuery(machine)}
          onRemove={() => onRemove(machine)}
        />
      ),
    },
  ];
  return (
    <DataGrid
      label="Servers"
      rows={machines}
      rowId={({ id }) => id}
      rowHeight={48}
      maxHeight="min(560px, 70vh)"
      onOpen={onOpen}
      empty={empty}
      columns={columns}
    />
  );
}

const IDENTITY: readonly Column<Machine>[] = [
  {
    id: 'name',
    header: 'Machine',
    value: ({ name }) => name,
    width: 'minmax(162px, 1.4fr)',
    cell: ({ name }) => (
      <span className="machine-name">
        <Desktop20Regular aria-hidden />
        <b className="grid-link" title={name}>
          {name}
        </b>
      </span>
    ),
  },
  {
    id: 'os',
    header: 'Operating system',
    value: ({ os }) => os,
    width: 'minmax(124px, 1fr)',
    cell: ({ os }) => (
      <span className="os" title={os}>
        {os}
      </span>
    ),
    hideNarrow: true,
  },
];

const COUNTS: readonly Column<Machine>[] = [
  {
    id: 'provider',
    header: 'Real time',
    value: ({ provider }) => provider,
    width: '104px',
    hideNarrow: true,
    cell: ({ provider }) => {
      if (provider === null) return '–';
      return provider === 'scan' ? <span className="muted">scans only</span> : provider;
    },
  },
  {
    id: 'trend',
    header: 'Trend',
    value: ({ total }) => total,
    width: '76px',
    hideNarrow: true,
    cell: ({ trend, name }) => (
      <Sparkline
        values={trendValues(trend)}
        label={`Changes of ${name} over the period: ${trendInWords(trend)}`}
      />
    ),
  },
  {
    id: 'total',
    header: 'Total',
    value: ({ total }) => total,
    width: '60px',
    narrowWidth: '52px',
    align: 'end',
    cell: ({ total }) => <b>{formatCount(total)}</b>,
  },
  countColumn('files', 'Files', ({ files }) => files),
  countColumn('registry', 'Registry', ({ registry }) => registry),
  countColumn('services', 'Services', ({ services }) => services),
  countColumn('software', 'Software', ({ software }) => software),
];

function countColumn(id: string, header: string, value: (machine: Machine) => number): Column<Machine> {
  return {
    id,
    header,
    value,
    width: '64px',
    align: 'end',
    hideNarrow: true,
    cell: (machine) => formatCount(value(machine)),
  };
}
