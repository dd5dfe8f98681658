/**
 * A range is a word in the URL: `7d` moves with the clock, `<iso>..<iso>` stands still. Both ends of what it resolves
 * to are ISO 8601 in UTC.
 */

import { formatShortTimestamp } from './format';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const RELATIVE_RANGES = [
  { range: '1h', label: 'Last hour', millis: HOUR },
  { range: '24h', label: 'Last 24 hours', millis: DAY },
  { range: '3d', label: 'Last 3 days', millis: 3 * DAY },
  { range: '7d', label: 'Last 7 days', millis: 7 * DAY },
  { range: '14d', label: 'Last 14 days', millis: 14 * DAY },
  { range: '30d', label: 'Last 30 days', millis: 30 * DAY },
] as const;

export const DEFAULT_RANGE = '7d';

const DEFAULT_MILLIS = 7 * DAY;

export type Ends = { from: string; to: string };

/** The ends of an absolute range; undefined for a relative one and for nonsense. */
export function parseAbsolute(range: string): Ends | undefined {
  const [from, to, ...rest] = range.split('..');
  if (from === undefined || to === undefined || rest.length > 0) return undefined;
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(start) || Number.isNaN(end) || start >= end) return undefined;
  return { from: new Date(start).toISOString(), to: new Date(end).toISOString() };
}

export function isAbsolute(range: string): boolean {
  return parseAbsolute(range) !== undefined;
}

/** Words that are no range, such as those of an old link, mean the default. */
export function normaliseRange(range: string): string {
  return isAbsolute(range) || RELATIVE_RANGES.some((known) => known.range === range) ? range : DEFAULT_RANGE;
}

export function resolveRange(range: string, now: number): Ends {
  const absolute = parseAbsolute(range);
  if (absolute) return absolute;
  const millis = RELATIVE_RANGES.find((known) => known.range === range)?.millis ?? DEFAULT_MILLIS;
  return { from: new Date(now - millis).toISOString(), to: new Date(now).toISOString() };
}

export function absoluteRange(fromMillis: number, toMillis: number): string {
  return `${new Date(fromMillis).toISOString()}..${new Date(toMillis).toISOString()}`;
}

export function rangeLabel(range: string): string {
  const absolute = parseAbsolute(range);
  if (absolute) return `${formatShortTimestamp(absolute.from)} – ${formatShortTimestamp(absolute.to)}`;
  return RELATIVE_RANGES.find((known) => known.range === range)?.label ?? 'Last 7 days';
}
