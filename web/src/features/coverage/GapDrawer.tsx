import { Code20Regular } from '@fluentui/react-icons';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import './coverage.css';
import { serverNow } from '../../api/clock';
import type { Gap } from '../../api/types';
import { isPlace, machineInWords, scopeInWords } from '../../domain/gaps';
import { gapKql } from '../../domain/kql';
import { CopyButton } from '../../ui/CopyButton';
import { CopyLink } from '../../ui/CopyLink';
import { formatAgo, formatPreciseTimestamp } from '../../ui/format';
import { PathText } from '../../ui/PathText';
import { Sentence } from '../../ui/Sentence';
import { SideDrawer } from '../../ui/SideDrawer';
import { adviceFor, lengthInWords, particularsOf, reasonOf } from './cause';
import { GapState } from './GapState';

type Props = { ws: string; gap: Gap; gaps: readonly Gap[]; onClose(): void };

/** One stretch that was not watched, with all that is known of it. */
export default function GapDrawer({ ws, gap, gaps, onClose }: Props) {
  const particulars = particularsOf(gap);
  const advice = adviceFor(gap);
  return (
    <SideDrawer
      label="Gap details"
      title={reasonOf(gap, gaps)}
      head={<GapIdentity ws={ws} gap={gap} />}
      onClose={onClose}
    >
      <dl className="gap-fields">
        {particulars && (
          <Field name="Why">
            <Sentence>{particulars}</Sentence>
          </Field>
        )}
        {advice && (
          <Field name="What to do">
            <Sentence>{advice}</Sentence>
          </Field>
        )}
        <Field name="Since">
          <span className="tabular">{formatPreciseTimestamp(gap.start)}</span>
        </Field>
        <Field name="Until">
          <span className="tabular">{gap.end === null ? 'it goes on' : formatPreciseTimestamp(gap.end)}</span>
        </Field>
        <Field name="How long">{lengthInWords(gap)}</Field>
        <Field name="Noticed by">{PROVIDERS[gap.provider] ?? gap.provider}</Field>
        <Field name="Cause">
          <code>{gap.cause}</code>
        </Field>
      </dl>
    </SideDrawer>
  );
}

const PROVIDERS: Record<string, string> = { server: 'the server', scan: 'the agent’s scans' };

function Field({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function GapIdentity({ ws, gap }: { ws: string; gap: Gap }) {
  return (
    <>
      {isPlace(gap.scope, gap.type) ? (
        <div className="drawer-path mono">
          <PathText path={gap.scope} />
          <CopyButton text={gap.scope} label="Copy path" />
        </div>
      ) : (
        <b>{scopeInWords(gap.scope, gap.type)}</b>
      )}
      <div className="drawer-meta">
        <GapState gap={gap} />
        <span>{machineInWords(gap.machine)}</span>
        <span>since {formatAgo(gap.start, serverNow())}</span>
      </div>
      <div className="drawer-actions">
        <Link to="/w/$ws/query" params={{ ws }} search={{ q: gapKql(gap) }} className="button-link">
          <Code20Regular aria-hidden />
          View in query
        </Link>
        <CopyLink />
      </div>
    </>
  );
}
