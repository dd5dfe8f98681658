import { useMemo } from 'react';
import type { QueryColumn, QueryResult } from '../../api/types';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { EmptyState } from '../../ui/EmptyState';
import { cellText, columnWidth, isNumeric, type ResultRow, rowsOf, sortValue } from './cell';

type Props = { result: QueryResult; columns: readonly number[]; onOpen(row: ResultRow): void };

const GAP = 12;
const PADDING = 32;

export function ResultGrid({ result, columns: shown, onOpen }: Props) {
  const rows = useMemo(() => rowsOf(result), [result]);
  const { columns, minWidth } = useMemo(() => gridColumns(result, shown), [result, shown]);
  return (
    <DataGrid
      label="Query results"
      rows={rows}
      rowId={({ index }) => String(index)}
      rowHeight={32}
      fills
      columns={columns}
      minWidth={minWidth}
      onOpen={onOpen}
      empty={<EmptyState title="No rows">The query is right, and nothing matches it.</EmptyState>}
    />
  );
}

/** Widths that the values need; the grid scrolls over them, or shares out the room that is left. */
function gridColumns(result: QueryResult, shown: readonly number[]) {
  const widths = shown.map((index) => {
    const column = result.columns[index];
    return column ? columnWidth(column, index, result.rows) : 0;
  });
  const minWidth = widths.reduce((sum, width) => sum + width + GAP, PADDING - GAP);
  const columns = shown.flatMap((index, place) => {
    const column = result.columns[index];
    return column ? [gridColumn(column, index, widths[place] ?? 0)] : [];
  });
  return { columns, minWidth };
}

function gridColumn(column: QueryColumn, index: number, width: number): Column<ResultRow> {
  const track = `minmax(${width}px, ${width}fr)`;
  return {
    // Two columns of an answer may have the same name.
    id: String(index),
    header: column.name,
    value: ({ values }) => sortValue(values[index]),
    cell: ({ values }) => <ResultCell text={cellText(values[index], column.type)} />,
    width: track,
    // Not squeezed on narrow screens either: an answer scrolls sideways.
    narrowWidth: track,
    ...(isNumeric(column.type) ? { align: 'end' as const } : {}),
  };
}

function ResultCell({ text }: { text: string | null }) {
  if (text === null) return <span className="muted">null</span>;
  return (
    <span className="tabular" title={text}>
      {text}
    </span>
  );
}
