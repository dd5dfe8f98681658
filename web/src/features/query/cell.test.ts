import { describe, expect, test } from 'vitest';
import type { QueryResult } from '../../api/types';
import { cellText, changeIdOf, columnWidth, filledColumns, rowsOf, sortValue } from './cell';

const result: QueryResult = {
  columns: [
    { name: 'Computer', type: 'string' },
    { name: 'RegistryKey', type: 'string' },
    { name: 'ChangeId', type: 'string' },
    { name: 'Size', type: 'long' },
  ],
  rows: [
    ['web-01', '', 'ab12', 5],
    ['web-02', null, '', null],
  ],
  stats: { rows: 2, elapsedMs: 1 },
  truncated: false,
};

describe('an answer', () => {
  test('shows values of every type as text', () => {
    expect(cellText(true, 'bool')).toBe('true');
    expect(cellText({ a: [1] }, 'dynamic')).toBe('{"a":[1]}');
    expect(cellText(0, 'long')).toBe('0');
    expect(cellText(null, 'string')).toBeNull();
  });

  test('sorts what is empty last', () => {
    expect([sortValue(''), sortValue(null), sortValue(0), sortValue(false)]).toEqual([null, null, 0, 0]);
  });

  test('can leave out columns without any value', () => {
    expect(filledColumns(result)).toEqual([0, 2, 3]);
  });

  test('knows which rows are changes', () => {
    const ids = rowsOf(result).map((row) => changeIdOf(result.columns, row));
    expect(ids).toEqual(['ab12', undefined]);
    expect(changeIdOf([], { index: 0, values: [] })).toBeUndefined();
  });

  test('has columns that are neither too narrow nor too wide', () => {
    const long = [['x'.repeat(500)]];
    expect(columnWidth({ name: 'a', type: 'string' }, 0, long)).toBe(360);
    expect(columnWidth({ name: 'a', type: 'string' }, 0, [['x']])).toBe(72);
    const ids = [['1f6e3f1c-b819-46a2-a61d-4b1b681cd7d6'], ['ab'.repeat(32)]];
    expect(columnWidth({ name: 'a', type: 'string' }, 0, ids)).toBe(101);
  });
});
