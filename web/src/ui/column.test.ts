import { describe, expect, test } from 'vitest';
import { type Column, nextOrder, shownColumns, sortRows, tracksOf } from './column';

type Row = { name: string; size: number | null };

const columns: Column<Row>[] = [
  { id: 'name', header: 'Name', value: (row) => row.name, width: 'minmax(180px, 2fr)' },
  { id: 'size', header: 'Size', value: (row) => row.size, width: '80px', hideNarrow: true },
];
const rows: Row[] = [
  { name: 'web-10', size: 1 },
  { name: 'web-9', size: null },
  { name: 'web-2', size: 30 },
];
const namesBy = (by: string, descending: boolean) =>
  sortRows(rows, columns, { by, descending }).map(({ name }) => name);

describe('columns', () => {
  test('numbers inside names sort as numbers', () => {
    expect(namesBy('name', false)).toEqual(['web-2', 'web-9', 'web-10']);
  });

  test('what has no value is last in both directions', () => {
    expect(namesBy('size', false)).toEqual(['web-10', 'web-2', 'web-9']);
    expect(namesBy('size', true)).toEqual(['web-2', 'web-10', 'web-9']);
  });

  test('an unknown column leaves the order as it came', () => {
    expect(sortRows(rows, columns, { by: 'colour', descending: true })).toBe(rows);
  });

  test('a third click on a header takes the order away', () => {
    const first = nextOrder(undefined, 'name');
    const second = nextOrder(first, 'name');
    expect([first, second, nextOrder(second, 'name')]).toEqual([
      { by: 'name', descending: false },
      { by: 'name', descending: true },
      undefined,
    ]);
  });

  test('narrow layouts drop minimum widths and hidden columns', () => {
    const tracks = (isNarrow: boolean) => tracksOf(shownColumns(columns, isNarrow), isNarrow);
    expect(tracks(false)).toBe('minmax(180px, 2fr) 80px');
    expect(tracks(true)).toBe('minmax(0, 2fr)');
  });

  test('what stacks columns stands in for them', () => {
    const stacked: Column<Row> = { id: 'stacked', header: 'Row', value: () => null, hideWide: true };
    const shown = (isNarrow: boolean) => shownColumns([stacked, ...columns], isNarrow).map(({ id }) => id);
    expect(shown(false)).toEqual(['name', 'size']);
    expect(shown(true)).toEqual(['stacked', 'name']);
  });
});
