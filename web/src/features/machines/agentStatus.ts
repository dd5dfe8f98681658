import type { Machine } from '../../api/types';
import { formatBytes, formatCount, formatShare } from '../../ui/format';
import type { Tone } from '../../ui/StatusDot';

export type AgentStatusView = {
  tone: Tone;
  word: string;
  /** Said instead of when the agent was last heard. */
  note?: string;
  /** Between 0 and 1, or unknown while it is not known how much there is. */
  progress?: number | 'unknown';
};

/** What one word says best: an agent that is not heard counts as that, whatever it was doing before. */
export function agentStatus(machine: Machine): AgentStatusView {
  switch (machine.status) {
    case 'offline':
      return { tone: 'bad', word: 'Offline' };
    case 'stale':
      return { tone: 'late', word: 'Stale' };
    case 'online':
      return onlineStatus(machine);
  }
}

function onlineStatus(machine: Machine): AgentStatusView {
  switch (machine.state) {
    case 'baselining':
      return {
        tone: 'busy',
        word: 'First baseline',
        note: progressNote(machine),
        progress: progressShare(machine) ?? 'unknown',
      };
    case 'scanning': {
      const share = progressShare(machine);
      return { tone: 'good', word: 'Scanning', ...(share === undefined ? {} : { progress: share }) };
    }
    case 'idle':
    case null:
      return { tone: 'good', word: 'Online' };
  }
}

function progressNote({ progress }: Machine): string {
  if (!progress) return 'starting';
  const { filesDone, filesTotal, bytesDone } = progress;
  if (!filesTotal) return `${formatCount(filesDone)} files, ${formatBytes(bytesDone)}`;
  return `${formatShare(Math.min(filesDone, filesTotal), filesTotal)} of ${formatCount(filesTotal)} files`;
}

/** Bytes are the better measure, since hashing them is the work; files where bytes are not known. */
function progressShare({ progress }: Machine): number | undefined {
  if (!progress) return undefined;
  const { filesDone, filesTotal, bytesDone, bytesTotal } = progress;
  if (bytesTotal) return Math.min(1, bytesDone / bytesTotal);
  return filesTotal ? Math.min(1, filesDone / filesTotal) : undefined;
}
