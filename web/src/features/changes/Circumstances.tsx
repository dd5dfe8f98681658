import { ScanDash20Regular } from '@fluentui/react-icons';
import type { ChangeDetail } from '../../api/types';
import { formatPreciseTimestamp } from '../../ui/format';

const SOURCE_WORDS: Record<string, string> = {
  Scan: 'a scheduled scan',
  RealTime: 'the real-time watch',
  Agentless: 'a scan of a disk image',
};

/** How the change was found, by which rule, and when it happened if that is known. */
export function Circumstances({ change }: { change: ChangeDetail }) {
  return (
    <section className="circumstances" aria-label="How this change was found">
      <ScanDash20Regular aria-hidden />
      <div>
        Found by <b>{SOURCE_WORDS[change.source] ?? change.source}</b>
        {change.rule && (
          <>
            {' '}
            through the rule <b>{change.rule}</b>
          </>
        )}
        {change.eventTime && (
          <span className="muted"> · happened {formatPreciseTimestamp(change.eventTime)}</span>
        )}
        {change.who && <span className="muted"> · by {change.who}</span>}
      </div>
    </section>
  );
}
