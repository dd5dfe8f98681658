import { expect, test } from 'vitest';
import { trendInWords, trendValues } from './trend';

test('a step that nobody watched has no value, and nought is one', () => {
  const trend = [
    { changes: 0, watched: 'nothing' },
    { changes: 3, watched: 'nothing' },
    { changes: 0, watched: 'part' },
    { changes: 0, watched: 'most' },
    { changes: 7, watched: 'all' },
    { changes: 0, watched: null },
  ] as const;
  expect(trendValues(trend)).toEqual([null, 3, 0, 0, 7, 0]);
  expect(trendInWords(trend)).toBe('not watched, 3, 0, 0, 7, 0');
});
