import { describe, expect, test } from 'vitest';
import { absoluteRange, normaliseRange, parseAbsolute, rangeLabel, resolveRange } from './timeRange';

const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('time range', () => {
  test('a relative range ends now', () => {
    expect(resolveRange('24h', NOW)).toEqual({
      from: '2026-11-21T12:00:00.000Z',
      to: '2026-11-22T12:00:00.000Z',
    });
  });

  test('an absolute range does not move with the clock', () => {
    const range = absoluteRange(NOW - 1000, NOW);
    expect(resolveRange(range, NOW + 5000)).toEqual(parseAbsolute(range));
  });

  test('nonsense in a link means the default', () => {
    for (const range of ['', '7 days', 'a..b', '2026..', '2026-02-01..2026-01-01', '1..2..3']) {
      expect(normaliseRange(range)).toBe('7d');
    }
  });

  test('what a drag made survives the URL', () => {
    const range = absoluteRange(NOW - 3_600_000, NOW);
    expect(normaliseRange(range)).toBe(range);
    expect(rangeLabel('7d')).toBe('Last 7 days');
  });
});
