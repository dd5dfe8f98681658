import { CheckmarkCircle16Regular, ScanDash16Regular, ShieldError16Filled } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import './coverage.css';
import { serverNow } from '../../api/clock';
import type { Gap } from '../../api/types';
import { isFirstLook } from '../../domain/gaps';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { formatDuration, formatTimestamp } from '../../ui/format';
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
      maxHeight="min(560px, 70vh)"
      empty={empty}
      columns={COLUMNS}
    />
  );
}

const COLUMNS: readonly Column<Gap>[] = [
  {
    id: 'state',
    header: 'State',
    // Open ones first when sorted.
    value: ({ end }) => (end === null ? 0 : 1),
    width: '104px',
    narrowWidth: '84px',
    cell: (gap) => <GapState gap={gap} />,
  },
  {
    id: 'scope',
    header: 'Not watched',
    value: ({ scope }) => scope,
    width: 'minmax(180px, 2fr)',
    cell: (gap) => (
      <span className="two-lines">
        {gap.scope === '*' ? <b>{scopeInWords(gap.scope)}</b> : <PathText path={gap.scope} />}
        <span className="muted narrow-only">
          {machineInWords(gap.machine)} · {causeInWords(gap)}
        </span>
        <GapDetail gap={gap} className="narrow-only" />
      </span>
    ),
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
        <GapDetail gap={gap} className="gap-detail" />
      </span>
    ),
  },
  {
    id: 'start',
    header: 'When',
    value: ({ start }) => start,
    width: '240px',
    narrowWidth: '84px',
    cell: (gap) => <GapInterval gap={gap} />,
  },
];

function GapDetail({ gap, className }: { gap: Gap; className: string }) {
  const text = detailInWords(gap);
  if (text === undefined) return null;
  return (
    <span className={`muted ${className}`}>
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
  const end = gap.end === null ? serverNow() : Date.parse(gap.end);
  const length = formatDuration(Math.max(0, end - Date.parse(gap.start)));
  return (
    <span className="two-lines tabular">
      <span className="wide-only">since {formatTimestamp(gap.start)}</span>
      <span className="narrow-only">{length}</span>
      <span className="muted wide-only">
        {gap.end === null ? `for ${length} so far` : `until ${formatTimestamp(gap.end)} · ${length}`}
      </span>
    </span>
  );
}
