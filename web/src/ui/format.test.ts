import { describe, expect, test } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatInterval,
  formatPreciseTimestamp,
  formatQuantity,
  formatShare,
  formatTimestamp,
} from './format';

describe('format', () => {
  test('counts have thousands separators', () => {
    expect(formatCount(1284)).toBe('1,284');
  });

  test('bytes take the unit that keeps the figure short', () => {
    expect([0, 999, 1000, 1_530_000, 2_000_000_000].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.5 MB',
      '2.0 GB',
    ]);
  });

  test('a small share never reads as nothing', () => {
    expect(formatShare(1, 1000)).toBe('< 1 %');
    expect(formatShare(0, 1000)).toBe('0 %');
    expect(formatShare(0, 0)).toBe('0 %');
    expect(formatShare(2, 3)).toBe('67 %');
  });

  test('a moment that cannot be parsed is shown as it came', () => {
    expect(formatTimestamp('never')).toBe('never');
  });

  test('moments that differ by less than a millisecond do not look alike', () => {
    const texts = [
      '2026-11-22T12:00:00.1234567Z',
      '2026-11-22T12:00:00.1234000Z',
      '2026-11-22T12:00:00.0000000Z',
    ];
    expect(texts.map((iso) => formatPreciseTimestamp(iso).slice(19))).toEqual(['.1234567', '.1234', '']);
  });

  test('a moment in the near future reads as now', () => {
    const now = Date.parse('2026-11-22T12:00:00Z');
    expect(formatAgo('2026-11-22T12:00:03Z', now)).toBe('just now');
    expect(formatAgo('2026-11-22T11:53:00Z', now)).toBe('7 min ago');
  });

  test('durations use the largest unit that fits', () => {
    expect([400, 59_000, 61_000, 3_600_000, 26 * 3_600_000, 3 * 86_400_000].map(formatDuration)).toEqual([
      '1 s',
      '59 s',
      '1 min',
      '1 h',
      '26 h',
      '3 d',
    ]);
  });

  test('intervals and quantities read as words', () => {
    expect(formatInterval(900)).toBe('every 15 min');
    expect(formatQuantity(1, 'machine')).toBe('1 machine');
    expect(formatQuantity(2, 'entry', 'entries')).toBe('2 entries');
  });
});
