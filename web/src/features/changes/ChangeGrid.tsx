import type { ReactNode } from 'react';
import './changes.css';
import { serverNow } from '../../api/clock';
import type { Change } from '../../api/types';
import { CategoryTag } from '../../domain/CategoryTag';
import { fieldsInWords } from '../../domain/field';
import { TypeTag } from '../../domain/TypeTag';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { formatAgo, formatShortTimestamp, formatTimestamp } from '../../ui/format';
import { PathText } from '../../ui/PathText';
import { byLine } from './who';

type Props = {
  changes: readonly Change[];
  total: number;
  selectedId: string | undefined;
  empty: ReactNode;
  onOpen(change: Change): void;
  onEnd(): void;
};

/** The newest change first, as the server orders them. */
export function ChangeGrid({ changes, total, selectedId, empty, onOpen, onEnd }: Props) {
  return (
    <DataGrid
      label="Changes"
      rows={changes}
      total={total}
      rowId={({ id }) => id}
      rowHeight={38}
      narrowRowHeight={74}
      maxHeight="min(560px, 70vh)"
      selectedId={selectedId ?? ''}
      onOpen={onOpen}
      onEnd={onEnd}
      empty={empty}
      columns={COLUMNS}
    />
  );
}

/** Who in a few words; all that is known is in the tip and in the drawer. */
function ByCell({ change }: { change: Change }) {
  const line = byLine(change);
  if (line === undefined) return <span className="muted">–</span>;
  return (
    <span className="changed-fields" title={change.actor?.commandLine ?? line}>
      {line}
    </span>
  );
}

/** All that the columns show, in three lines. */
function StackedChange({ change }: { change: Change }) {
  const { entity, category, fields, machine, time } = change;
  return (
    <span className="stacked">
      <PathText path={entity} />
      <span className="stacked-line">
        <CategoryTag category={category} />
        <span className="changed-fields">{fieldsInWords(fields)}</span>
        <span className="end muted tabular" title={formatTimestamp(time)}>
          {formatShortTimestamp(time)}
        </span>
      </span>
      <span className="stacked-line">
        <span className="changed-fields">
          {machine} · {byLine(change) ?? 'nobody known'}
        </span>
      </span>
    </span>
  );
}

// Not sortable: only a part of the list is loaded, and sorting a part would mislead.
const COLUMNS: readonly Column<Change>[] = [
  {
    id: 'entity',
    header: 'Entity',
    value: ({ entity }) => entity,
    sortable: false,
    width: 'minmax(170px, 3fr)',
    hideNarrow: true,
    cell: ({ entity }) => <PathText path={entity} />,
  },
  {
    id: 'stacked',
    header: 'Change',
    value: ({ entity }) => entity,
    sortable: false,
    hideWide: true,
    narrowWidth: 'minmax(0, 1fr)',
    cell: (change) => <StackedChange change={change} />,
  },
  {
    id: 'machine',
    header: 'Machine',
    value: ({ machine }) => machine,
    sortable: false,
    width: 'minmax(110px, 0.9fr)',
    hideNarrow: true,
  },
  {
    id: 'type',
    header: 'Type',
    value: ({ type }) => type,
    sortable: false,
    width: '92px',
    hideNarrow: true,
    cell: (change) => <TypeTag change={change} />,
  },
  {
    id: 'category',
    header: 'Category',
    value: ({ category }) => category,
    sortable: false,
    width: '106px',
    hideNarrow: true,
    cell: ({ category }) => <CategoryTag category={category} />,
  },
  {
    id: 'fields',
    header: 'What changed',
    value: ({ fields }) => fields.join(', '),
    sortable: false,
    width: 'minmax(130px, 1.3fr)',
    hideNarrow: true,
    cell: ({ fields }) => (
      <span className="changed-fields" title={fields.join(', ')}>
        {fieldsInWords(fields) || <span className="muted">–</span>}
      </span>
    ),
  },
  {
    id: 'by',
    header: 'By',
    value: byLine,
    sortable: false,
    width: 'minmax(90px, 0.9fr)',
    hideNarrow: true,
    cell: (change) => <ByCell change={change} />,
  },
  {
    id: 'time',
    header: 'Time',
    value: ({ time }) => time,
    sortable: false,
    width: '156px',
    hideNarrow: true,
    cell: ({ time }) => (
      <span className="tabular" title={formatAgo(time, serverNow())}>
        {formatTimestamp(time)}
      </span>
    ),
  },
];
