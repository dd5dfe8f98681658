/** Every number, size and time that the page shows is written here. */

const wholeNumber = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function formatCount(value: number): string {
  return wholeNumber.format(value);
}

/** Decimal units, as disks and packages are sold. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? wholeNumber.format(value) : oneDecimal.format(value)} ${units[unit]}`;
}

/** Whole percent; a part that is not nothing never reads as 0 %. */
export function formatShare(part: number, total: number): string {
  if (total === 0 || part === 0) return '0 %';
  const percent = (part / total) * 100;
  return percent < 1 ? '< 1 %' : `${Math.round(percent)} %`;
}

/** `2026-11-22 14:53:23` in the reader's time zone. */
export function formatTimestamp(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return `${formatDay(date)} ${formatClock(date)}`;
}

/** As `formatTimestamp`, with every digit of the second that was given: two moments that differ never look alike. */
export function formatPreciseTimestamp(iso: string): string {
  const fraction = /\.(\d*?)0*(?:Z|[+-]\d\d:?\d\d)$/.exec(iso)?.[1];
  return fraction ? `${formatTimestamp(iso)}.${fraction}` : formatTimestamp(iso);
}

/** `22 Nov 14:53`, for the ends of a range. */
export function formatShortTimestamp(iso: string): string {
  const date = new Date(iso);
  const month = date.toLocaleString('en', { month: 'short' });
  return `${date.getDate()} ${month} ${formatClock(date).slice(0, 5)}`;
}

/** `2026-11-22 14:53:23 – 14:55:01`: both ends of a stretch, the day once if it is the same. */
export function formatStretch(from: string, to: string): string {
  const [start, end] = [formatTimestamp(from), formatTimestamp(to)];
  const day = start.slice(0, DAY_LENGTH);
  return `${start} – ${end.startsWith(day) ? end.slice(DAY_LENGTH) : end}`;
}

/** `UTC`, or `Europe/Berlin (UTC+1)`: the reader's time zone, in which every time of the page is, as it is at `now`. */
export function formatTimeZone(zone: string, now: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'shortOffset' }).formatToParts(
    now,
  );
  const offset = parts.find(({ type }) => type === 'timeZoneName')?.value.replace('GMT', 'UTC');
  return offset === undefined || zone === 'UTC' ? zone : `${zone} (${offset})`;
}

/** The time zone that the browser is set to. */
export function readersTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** `7 min ago`; a moment a little in the future reads as now, because clocks differ. */
export function formatAgo(iso: string, now: number): string {
  const elapsed = now - Date.parse(iso);
  return elapsed < 5 * SECOND ? 'just now' : `${formatDuration(elapsed)} ago`;
}

/** The largest unit that fits: `13 s`, `7 min`, `3 h`, `5 d`. */
export function formatDuration(millis: number): string {
  if (millis < MINUTE) return `${Math.max(1, Math.round(millis / SECOND))} s`;
  if (millis < HOUR) return `${Math.round(millis / MINUTE)} min`;
  if (millis < 2 * DAY) return `${Math.round(millis / HOUR)} h`;
  return `${Math.round(millis / DAY)} d`;
}

/** An interval that people set: `every 15 min`, `every 5 s`. */
export function formatInterval(seconds: number): string {
  return `every ${formatDuration(seconds * SECOND)}`;
}

/** `1 machine`, `2 machines`. */
export function formatQuantity(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** Of a day and the space after it. */
const DAY_LENGTH = '2026-11-22 '.length;

function formatDay(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
}

function formatClock(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
