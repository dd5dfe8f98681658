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
  formatStretch,
  formatTimestamp,
  formatTimeZone,
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

  test('a stretch names its day once', () => {
    expect(formatStretch('2026-11-22T12:00:00', '2026-11-22T12:05:09')).toBe(
      '2026-11-22 12:00:00 – 12:05:09',
    );
    expect(formatStretch('2026-11-22T23:59:00', '2026-11-23T00:01:00')).toBe(
      '2026-11-22 23:59:00 – 2026-11-23 00:01:00',
    );
  });

  test('a time zone is told with its distance from UTC', () => {
    const winter = new Date('2026-01-15T12:00:00Z');
    expect(formatTimeZone('UTC', winter)).toBe('UTC');
    expect(formatTimeZone('Europe/Berlin', winter)).toBe('Europe/Berlin (UTC+1)');
    expect(formatTimeZone('Europe/Berlin', new Date('2026-07-15T12:00:00Z'))).toBe('Europe/Berlin (UTC+2)');
  });
});
