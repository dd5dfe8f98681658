import { serverNow } from '../../api/clock';
import type { Gap } from '../../api/types';
import { formatDuration, formatTimestamp } from '../../ui/format';

/** The causes that the server names, in words; a cause of a newer server is shown as it came. */
const WORDS: Record<string, string> = {
  AgentStopped: 'The agent did not run',
  AgentNotReporting: 'The agent is not heard',
  RecordsLost: 'The server lost records',
  TooManyGaps: 'More gaps than are kept',
  BaselinePending: 'The first baseline is being taken',
  RuleUnusable: 'The machine cannot use a rule',
  Unreadable: 'Cannot be read',
  ScanCutShort: 'A scan was cut short',
  StateLost: 'The agent lost its state',
  SpoolFull: 'The agent’s spool was full',
  SpoolDamaged: 'The agent’s spool was damaged',
  ReportRejected: 'The server refused a report',
  NoticesLost: 'Notices of changes were lost',
  MountsChanged: 'A file system was mounted or unmounted',
  AgentSuspended: 'The agent was held',
  ClockChanged: 'The clock jumped',
};

/** What is said of one that has ended, where the words are of something that goes on. */
const WORDS_WHEN_ENDED: Record<string, string> = {
  BaselinePending: 'Before the first baseline',
  AgentNotReporting: 'The agent was not heard',
  RuleUnusable: 'The machine could not use a rule',
};

export function causeInWords({ cause, end }: Pick<Gap, 'cause' | 'end'>): string {
  return (end === null ? undefined : WORDS_WHEN_ENDED[cause]) ?? WORDS[cause] ?? cause;
}

/**
 * Why something was not watched. An agent that did not run was not heard either: once it has said so itself, the silence
 * that the server noticed has the same reason, and is told in the same words.
 */
export function reasonOf(gap: Gap, gaps: readonly Gap[]): string {
  const own = gap.cause === 'AgentNotReporting' ? gaps.find((other) => isStopOf(gap, other)) : undefined;
  return causeInWords(own ?? gap);
}

/** True if the silence is the server's side of a stretch in which the agent says that it did not run. */
function isStopOf(silence: Gap, { machine, cause, start, end }: Gap): boolean {
  if (cause !== 'AgentStopped' || machine !== silence.machine || end === null || silence.end === null) {
    return false;
  }
  const [from, to] = [Date.parse(start) - CLOCKS_DIFFER_MILLIS, Date.parse(end) + CLOCKS_DIFFER_MILLIS];
  return from <= Date.parse(silence.start) && Date.parse(silence.end) <= to;
}

/** The agent's clock tells of its stop, the server's of the silence, and a start takes its time to be heard. */
const CLOCKS_DIFFER_MILLIS = 60_000;

const MOMENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** What can be done about a gap while it goes on; it would be wrong advice once it has ended. */
const ADVICE: Record<string, string> = {
  AgentNotReporting: '`steadfast-agent doctor` on that machine says why, if its agent runs',
};

/** The particulars of a gap for a person; undefined where they only say again what the cause says. */
export function particularsOf(gap: Pick<Gap, 'cause' | 'end' | 'detail'>): string | undefined {
  const text = gap.detail.trim();
  const isNews = text !== '' && text.toLowerCase() !== causeInWords(gap).toLowerCase();
  return isNews ? text.replace(MOMENT, momentOnOneLine) : undefined;
}

/** What can be done about a gap; undefined where nobody knows, or where it has ended. */
export function adviceFor(gap: Pick<Gap, 'cause' | 'end'>): string | undefined {
  return gap.end === null ? ADVICE[gap.cause] : undefined;
}

/** The particulars, and what can be done. */
export function detailInWords(gap: Pick<Gap, 'cause' | 'end' | 'detail'>): string | undefined {
  const parts = [particularsOf(gap), adviceFor(gap)].filter(Boolean);
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** What tells a gap from all others, as a part of a link. */
export function gapId({ machine, scope, type, start, cause }: Gap): string {
  return [start, cause, type, machine, scope].join(' ');
}

/** How long it was, or is so far. */
export function lengthInWords({ start, end }: Pick<Gap, 'start' | 'end'>): string {
  const length = formatDuration(
    Math.max(0, (end === null ? serverNow() : Date.parse(end)) - Date.parse(start)),
  );
  return end === null ? `for ${length} so far` : length;
}

/** A moment whose parts stay together where a line ends. */
function momentOnOneLine(iso: string): string {
  return formatTimestamp(iso).replaceAll('-', '\u2011').replace(' ', '\u00a0');
}
