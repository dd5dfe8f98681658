import { Code20Regular } from '@fluentui/react-icons';
import { Link } from '@tanstack/react-router';
import { serverNow } from '../../api/clock';
import type { ChangeDetail } from '../../api/types';
import { CategoryTag } from '../../domain/CategoryTag';
import { entityKql } from '../../domain/kql';
import { TypeTag } from '../../domain/TypeTag';
import { CopyButton } from '../../ui/CopyButton';
import { CopyLink } from '../../ui/CopyLink';
import { formatAgo, formatTimestamp } from '../../ui/format';
import { PathText } from '../../ui/PathText';

/** What changed, where and when, and what can be done with it. */
export function ChangeIdentity({ ws, change }: { ws: string; change: ChangeDetail }) {
  return (
    <>
      <div className="drawer-path mono">
        <PathText path={change.entity} />
        <CopyButton text={change.entity} label="Copy path" />
      </div>
      <div className="drawer-meta">
        <CategoryTag category={change.category} />
        <TypeTag change={change} />
        <span>{change.machine}</span>
        <span>
          {formatTimestamp(change.time)} · {formatAgo(change.time, serverNow())}
        </span>
      </div>
      <div className="drawer-actions">
        <Link to="/w/$ws/query" params={{ ws }} search={{ q: entityKql(change) }} className="button-link">
          <Code20Regular aria-hidden />
          View in query
        </Link>
        <CopyLink />
      </div>
    </>
  );
}
