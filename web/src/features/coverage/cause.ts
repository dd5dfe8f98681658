import type { Gap } from '../../api/types';
import { formatTimestamp } from '../../ui/format';

/** The causes that the server names, in words; a cause of a newer server is shown as it came. */
const WORDS: Record<string, string> = {
  AgentStopped: 'The agent was stopped',
  AgentNotReporting: 'The agent is not heard',
  RecordsLost: 'The server lost records',
  TooManyGaps: 'More gaps than are kept',
  BaselinePending: 'The first baseline is being taken',
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
const WORDS_WHEN_ENDED: Record<string, string> = { BaselinePending: 'Before the first baseline' };

export function causeInWords({ cause, end }: Pick<Gap, 'cause' | 'end'>): string {
  return (end === null ? undefined : WORDS_WHEN_ENDED[cause]) ?? WORDS[cause] ?? cause;
}

const MOMENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** What can be done about a gap while it goes on; it would be wrong advice once it has ended. */
const ADVICE: Record<string, string> = {
  AgentNotReporting: '`steadfast-agent doctor` on that machine says why, if its agent runs',
};

/** The particulars of a gap for a person; undefined where they only say again what the cause says. */
export function detailInWords(gap: Pick<Gap, 'cause' | 'end' | 'detail'>): string | undefined {
  const text = gap.detail.trim();
  const advice = gap.end === null ? ADVICE[gap.cause] : undefined;
  const isNews = text !== '' && text.toLowerCase() !== causeInWords(gap).toLowerCase();
  const parts = [isNews ? text.replace(MOMENT, momentOnOneLine) : undefined, advice].filter(Boolean);
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** A moment whose parts stay together where a line ends. */
function momentOnOneLine(iso: string): string {
  return formatTimestamp(iso).replaceAll('-', '\u2011').replace(' ', '\u00a0');
}

/** The server tells of all machines at once what it cannot tell of each. */
export function machineInWords(machine: string): string {
  return machine === '*' ? 'All machines' : machine;
}

/** What was not watched: of a list, all of it. */
export function scopeInWords(scope: string, type: string): string {
  if (scope !== '*') return scope;
  return WHOLE[type] ?? 'Everything monitored';
}

const WHOLE: Record<string, string> = {
  Daemons: 'All daemons',
  Software: 'All software',
  Files: 'All files',
};
