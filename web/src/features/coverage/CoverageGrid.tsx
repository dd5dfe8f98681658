import { CheckmarkCircle16Regular, ScanDash16Regular, ShieldError16Filled } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import './coverage.css';
import { serverNow } from '../../api/clock';
import type { Gap } from '../../api/types';
import { isFirstLook } from '../../domain/gaps';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { formatDuration, formatStretch, formatTimestamp } from '../../ui/format';
import { PathText } from '../../ui/PathText';
import { Sentence } from '../../ui/Sentence';
import { causeInWords, detailInWords, machineInWords, scopeInWords } from './cause';

/** What was not watched, when and why; what is not watched right now is marked. */
export function CoverageGrid({ gaps, empty }: { gaps: readonly Gap[]; empty: ReactNode }) {
  return (
    <DataGrid
      label="Coverage"
      rows={gaps}
      rowId={({ machine, scope, start, cause }) => [machine, scope, start, cause].join('\n')}
      rowHeight={72}
      narrowRowHeight={136}
      maxHeight="min(560px, 70vh)"
      empty={empty}
      columns={COLUMNS}
    />
  );
}

const COLUMNS: readonly Column<Gap>[] = [
  {
    id: 'stacked',
    header: 'Not watched',
    // As the list comes: what goes on first, then the newest.
    value: () => null,
    sortable: false,
    hideWide: true,
    narrowWidth: 'minmax(0, 1fr)',
    cell: (gap) => <StackedGap gap={gap} />,
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
    value: causeInWords,
    width: 'minmax(200px, 2.2fr)',
    hideNarrow: true,
    cell: (gap) => (
      <span className="two-lines" title={detailInWords(gap)}>
        <b>{causeInWords(gap)}</b>
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
  return scope === '*' ? <b>{scopeInWords(scope, type)}</b> : <PathText path={scope} />;
}

/** All that the columns show, line by line. */
function StackedGap({ gap }: { gap: Gap }) {
  return (
    <span className="stacked">
      <span className="gap-head">
        <GapState gap={gap} />
        <span className="muted">{lengthInWords(gap)}</span>
      </span>
      <span className="two-lines">
        <GapScope gap={gap} />
        <span>
          {machineInWords(gap.machine)} · {causeInWords(gap)}
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

function GapState({ gap }: { gap: Gap }) {
  if (gap.end !== null) {
    return (
      <span className="gap-state">
        <CheckmarkCircle16Regular aria-hidden />
        Ended
      </span>
    );
  }
  if (isFirstLook(gap)) {
    return (
      <span className="gap-state busy">
        <ScanDash16Regular aria-hidden />
        Under way
      </span>
    );
  }
  return (
    <span className="gap-state open">
      <ShieldError16Filled aria-hidden />
      Open
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

function lengthInWords({ start, end }: Gap): string {
  const length = formatDuration(
    Math.max(0, (end === null ? serverNow() : Date.parse(end)) - Date.parse(start)),
  );
  return end === null ? `for ${length} so far` : length;
}
