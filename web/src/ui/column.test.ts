import { describe, expect, test } from 'vitest';
import { type Column, nextOrder, sortRows, widthsOf } from './column';

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
    expect(widthsOf(columns)).toEqual({ wide: 'minmax(180px, 2fr) 80px', narrow: 'minmax(0, 2fr)' });
  });
});
