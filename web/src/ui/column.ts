import type { ReactNode } from 'react';

/** One column of a `DataGrid`. */
export type Column<T> = {
  id: string;
  header: string;
  /** What the column is sorted by, and shown if there is no `cell`. */
  value(row: T): string | number | null | undefined;
  cell?(row: T): ReactNode;
  /** A CSS grid track; `minmax(120px, 1fr)` if absent. */
  width?: string;
  /** The track on narrow screens; the wide one without its minimum if absent. */
  narrowWidth?: string;
  align?: 'end';
  hideNarrow?: boolean;
  mono?: boolean;
  /** False for a column of controls, which cannot be sorted by. */
  sortable?: boolean;
};

export type SortOrder = { by: string; descending: boolean };

/** Ascending, then descending, then as it came. */
export function nextOrder(order: SortOrder | undefined, by: string): SortOrder | undefined {
  if (order?.by !== by) return { by, descending: false };
  return order.descending ? undefined : { by, descending: true };
}

/** A sorted copy; what has no value stays last in both directions. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  order: SortOrder | undefined,
): readonly T[] {
  const column = columns.find(({ id }) => id === order?.by);
  if (!order || !column) return rows;
  const sign = order.descending ? -1 : 1;
  return [...rows].sort((left, right) => {
    const [a, b] = [column.value(left) ?? null, column.value(right) ?? null];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return sign * compareValues(a, b);
  });
}

function compareValues(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

/** The tracks of both layouts. */
export function widthsOf<T>(columns: readonly Column<T>[]): { wide: string; narrow: string } {
  const wide = columns.map(({ width }) => width ?? 'minmax(120px, 1fr)').join(' ');
  const narrow = columns
    .filter(({ hideNarrow }) => !hideNarrow)
    .map(
      ({ narrowWidth, width }) =>
        narrowWidth ?? (width ?? 'minmax(0, 1fr)').replace(/minmax\(\d+px/, 'minmax(0'),
    )
    .join(' ');
  return { wide, narrow };
}

export function columnClass<T>(base: string, column: Column<T>): string {
  return [
    base,
    column.hideNarrow ? 'hide-narrow' : '',
    column.align === 'end' ? 'end' : '',
    column.mono ? 'mono' : '',
  ]
    .filter(Boolean)
    .join(' ');
}
