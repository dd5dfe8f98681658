import { ProgressBar } from '@fluentui/react-components';
import { ShieldError16Regular } from '@fluentui/react-icons';
import { serverNow } from '../../api/clock';
import type { Machine } from '../../api/types';
import { formatAgo, formatQuantity } from '../../ui/format';
import { StatusDot } from '../../ui/StatusDot';
import { agentStatus } from './agentStatus';

/** What the agent is doing, how far it is, and whether anything of the machine goes unwatched. */
export function AgentStatus({ machine, troubles }: { machine: Machine; troubles: number }) {
  const status = agentStatus(machine);
  return (
    <span className="agent-status">
      <span className="agent-line">
        <StatusDot tone={status.tone}>
          {status.word}
          {status.note === undefined && (
            <span className="muted wide-only">
              {machine.lastSeen ? formatAgo(machine.lastSeen, serverNow()) : 'never heard'}
            </span>
          )}
        </StatusDot>
        {troubles > 0 && (
          <span className="gap-mark" title={`${formatQuantity(troubles, 'open gap')}: not watched`}>
            <ShieldError16Regular aria-hidden />
            {formatQuantity(troubles, 'gap')}
          </span>
        )}
      </span>
      {status.note !== undefined && <span className="agent-note muted wide-only">{status.note}</span>}
      {status.progress !== undefined && (
        <ProgressBar
          aria-label={`Progress of ${machine.name}`}
          {...(status.progress === 'unknown' ? {} : { value: status.progress })}
        />
      )}
    </span>
  );
}
