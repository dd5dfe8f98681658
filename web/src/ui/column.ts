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
  /** True for what stacks the columns that are hidden on narrow screens. */
  hideWide?: boolean;
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

/** The columns of one of the two layouts. */
export function shownColumns<T>(columns: readonly Column<T>[], isNarrow: boolean): readonly Column<T>[] {
  return columns.filter(({ hideNarrow, hideWide }) => !(isNarrow ? hideNarrow : hideWide));
}

/** The tracks of the columns that are shown. */
export function tracksOf<T>(shown: readonly Column<T>[], isNarrow: boolean): string {
  const wide = ({ width }: Column<T>) => width ?? 'minmax(120px, 1fr)';
  const narrow = ({ narrowWidth, width }: Column<T>) =>
    narrowWidth ?? (width ?? 'minmax(0, 1fr)').replace(/minmax\(\d+px/, 'minmax(0');
  return shown.map(isNarrow ? narrow : wide).join(' ');
}

export function columnClass<T>(base: string, column: Column<T>): string {
  return [base, column.align === 'end' ? 'end' : '', column.mono ? 'mono' : ''].filter(Boolean).join(' ');
}
