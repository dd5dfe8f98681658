import type { ReactNode } from 'react';
import './changes.css';
import { serverNow } from '../../api/clock';
import type { Change } from '../../api/types';
import { CategoryTag } from '../../domain/CategoryTag';
import { fieldsInWords } from '../../domain/field';
import { TypeTag } from '../../domain/TypeTag';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { formatAgo, formatTimestamp } from '../../ui/format';
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

// Not sortable: only a part of the list is loaded, and sorting a part would mislead.
const COLUMNS: readonly Column<Change>[] = [
  {
    id: 'entity',
    header: 'Entity',
    value: ({ entity }) => entity,
    sortable: false,
    width: 'minmax(170px, 3fr)',
    cell: ({ entity }) => <PathText path={entity} />,
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
    cell: ({ type }) => <TypeTag type={type} />,
  },
  {
    id: 'category',
    header: 'Category',
    value: ({ category }) => category,
    sortable: false,
    width: '106px',
    narrowWidth: '92px',
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
