import type { QueryColumn, QueryResult } from '../../api/types';
import { formatPreciseTimestamp } from '../../ui/format';

/** One row of an answer with its place, which is all that identifies it. */
export type ResultRow = { index: number; values: readonly unknown[] };

export function rowsOf(result: QueryResult): ResultRow[] {
  return result.rows.map((values, index) => ({ index, values }));
}

/** A value as text; null for what is null. */
export function cellText(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null;
  if (type === 'datetime' && typeof value === 'string') return formatPreciseTimestamp(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** What a grid sorts the value by. */
export function sortValue(value: unknown): string | number | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'number' || typeof value === 'string') return value;
  return typeof value === 'boolean' ? Number(value) : JSON.stringify(value);
}

export function isNumeric(type: string): boolean {
  return ['int', 'long', 'real', 'decimal'].includes(type);
}

/** Columns that have a value in some row; wide tables are mostly empty ones. */
export function filledColumns(result: QueryResult): number[] {
  return result.columns
    .map((_, index) => index)
    .filter((index) => result.rows.some((row) => !isEmpty(row[index])));
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}

/** An id or a digest: it is told from others by its first digits, and nobody reads the rest. */
const LONG_ID = /^[\da-f]{8}-?[\da-f-]{12,}$/i;
const SHOWN_OF_ID = 12;

/** How wide a column must be for most of its values, in pixels. */
export function columnWidth(
  column: QueryColumn,
  index: number,
  rows: readonly (readonly unknown[])[],
): number {
  const CHARACTER = 7.4;
  const SAMPLE = 50;
  const lengths = rows.slice(0, SAMPLE).map((row) => {
    const text = cellText(row[index], column.type) ?? 'null';
    return LONG_ID.test(text) ? SHOWN_OF_ID : text.length;
  });
  const longest = Math.max(column.name.length + 1, ...lengths);
  return Math.round(Math.min(360, Math.max(72, longest * CHARACTER + 12)));
}

/** The change that a row tells of, if it says so. */
export function changeIdOf(columns: readonly QueryColumn[], row: ResultRow): string | undefined {
  const index = columns.findIndex(({ name }) => name === 'ChangeId');
  const value = row.values[index];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
