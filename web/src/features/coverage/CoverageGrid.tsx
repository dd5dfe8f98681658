import { type ReactNode, useMemo } from 'react';
import './coverage.css';
import type { Gap } from '../../api/types';
import { isPlace, machineInWords, scopeInWords } from '../../domain/gaps';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { formatStretch, formatTimestamp } from '../../ui/format';
import { PathText } from '../../ui/PathText';
import { Sentence } from '../../ui/Sentence';
import { detailInWords, gapId, lengthInWords, reasonOf } from './cause';
import { GapState } from './GapState';

type Props = {
  gaps: readonly Gap[];
  empty: ReactNode;
  /** The one that is shown whole beside the list. */
  selectedId: string | undefined;
  onOpen(gap: Gap): void;
};

/** What was not watched, when and why; what is not watched right now is marked. */
export function CoverageGrid({ gaps, empty, selectedId, onOpen }: Props) {
  const columns = useMemo(() => columnsOf(gaps), [gaps]);
  return (
    <DataGrid
      label="Coverage"
      rows={gaps}
      rowId={gapId}
      rowHeight={72}
      narrowRowHeight={136}
      maxHeight="min(560px, 70vh)"
      empty={empty}
      onOpen={onOpen}
      {...(selectedId === undefined ? {} : { selectedId })}
      columns={columns}
    />
  );
}

const columnsOf = (gaps: readonly Gap[]): readonly Column<Gap>[] => [
  {
    id: 'stacked',
    header: 'Not watched',
    // As the list comes: what goes on first, then the newest.
    value: () => null,
    sortable: false,
    hideWide: true,
    narrowWidth: 'minmax(0, 1fr)',
    cell: (gap) => <StackedGap gap={gap} reason={reasonOf(gap, gaps)} />,
  },
  {
    id: 'state',
    header: 'State',
    // Open ones first when sorted.
    value: ({ end }) => (end === null ? 0 : 1),
    width: '104px',
    hideNarrow: true,
    cell: (gap) => <GapState gap={gap} />,
  },
  {
    id: 'scope',
    header: 'Not watched',
    value: ({ scope }) => scope,
    width: 'minmax(180px, 2fr)',
    hideNarrow: true,
    cell: (gap) => <GapScope gap={gap} />,
  },
  {
    id: 'machine',
    header: 'Machine',
    value: ({ machine }) => machineInWords(machine),
    width: 'minmax(120px, 1fr)',
    hideNarrow: true,
  },
  {
    id: 'cause',
    header: 'Why',
    value: (gap) => reasonOf(gap, gaps),
    width: 'minmax(200px, 2.2fr)',
    hideNarrow: true,
    cell: (gap) => (
      <span className="two-lines">
        <b className="grid-link">{reasonOf(gap, gaps)}</b>
        <GapDetail gap={gap} />
      </span>
    ),
  },
  {
    id: 'start',
    header: 'When',
    value: ({ start }) => start,
    width: '240px',
    hideNarrow: true,
    cell: (gap) => <GapInterval gap={gap} />,
  },
];

function GapScope({ gap: { scope, type } }: { gap: Gap }) {
  return isPlace(scope, type) ? <PathText path={scope} /> : <b>{scopeInWords(scope, type)}</b>;
}

/** All that the columns show, line by line. */
function StackedGap({ gap, reason }: { gap: Gap; reason: string }) {
  return (
    <span className="stacked">
      <span className="gap-head">
        <GapState gap={gap} />
        <span className="muted">{lengthInWords(gap)}</span>
      </span>
      <span className="two-lines">
        <GapScope gap={gap} />
        <span>
          {machineInWords(gap.machine)} · {reason}
        </span>
        <span className="tabular">{whenInWords(gap)}</span>
        <GapDetail gap={gap} />
      </span>
    </span>
  );
}

function GapDetail({ gap }: { gap: Gap }) {
  const text = detailInWords(gap);
  if (text === undefined) return null;
  return (
    <span className="muted gap-detail">
      <Sentence>{text}</Sentence>
    </span>
  );
}

function GapInterval({ gap }: { gap: Gap }) {
  return (
    <span className="two-lines tabular">
      <span>since {formatTimestamp(gap.start)}</span>
      <span className="muted">
        {gap.end === null ? lengthInWords(gap) : `until ${formatTimestamp(gap.end)} · ${lengthInWords(gap)}`}
      </span>
    </span>
  );
}

function whenInWords({ start, end }: Gap): string {
  return end === null ? `since ${formatTimestamp(start)}` : formatStretch(start, end);
}
