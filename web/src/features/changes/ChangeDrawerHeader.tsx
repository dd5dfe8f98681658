import { Button, Tooltip } from '@fluentui/react-components';
import {
  ArrowDown20Regular,
  ArrowUp20Regular,
  Code20Regular,
  Dismiss24Regular,
  Link20Regular,
} from '@fluentui/react-icons';
import { Link } from '@tanstack/react-router';
import { serverNow } from '../../api/clock';
import type { ChangeDetail } from '../../api/types';
import { CategoryTag } from '../../domain/CategoryTag';
import { entityKql } from '../../domain/kql';
import { TypeTag } from '../../domain/TypeTag';
import { CopyButton } from '../../ui/CopyButton';
import { formatAgo, formatTimestamp } from '../../ui/format';
import { PathText } from '../../ui/PathText';
import { splitPath } from '../../ui/path';
import { useCopy } from '../../ui/useCopy';

type Props = {
  ws: string;
  change: ChangeDetail | undefined;
  onStep: ((by: 1 | -1) => void) | undefined;
  onClose(): void;
};

export function ChangeDrawerHeader({ ws, change, onStep, onClose }: Props) {
  return (
    <>
      <div className="drawer-title">
        <h2>{change ? splitPath(change.entity).name : 'Change details'}</h2>
        <div className="row">
          {onStep && (
            <>
              <Tooltip content="Previous (K)" relationship="label">
                <Button appearance="subtle" icon={<ArrowUp20Regular />} onClick={() => onStep(-1)} />
              </Tooltip>
              <Tooltip content="Next (J)" relationship="label">
                <Button appearance="subtle" icon={<ArrowDown20Regular />} onClick={() => onStep(1)} />
              </Tooltip>
            </>
          )}
          <Tooltip content="Close (Esc)" relationship="label">
            <Button appearance="subtle" icon={<Dismiss24Regular />} onClick={onClose} />
          </Tooltip>
        </div>
      </div>
      {change && <ChangeIdentity ws={ws} change={change} />}
    </>
  );
}

function ChangeIdentity({ ws, change }: { ws: string; change: ChangeDetail }) {
  return (
    <>
      <div className="drawer-path mono">
        <PathText path={change.entity} />
        <CopyButton text={change.entity} label="Copy path" />
      </div>
      <div className="drawer-meta">
        <CategoryTag category={change.category} />
        <TypeTag type={change.type} />
        <span>{change.machine}</span>
        <span>
          {formatTimestamp(change.time)} · {formatAgo(change.time, serverNow())}
        </span>
      </div>
      <div className="drawer-actions">
        <Link
          to="/w/$ws/query"
          params={{ ws }}
          search={{ q: entityKql(change.machine, change.entity) }}
          className="button-link"
        >
          <Code20Regular aria-hidden />
          View in query
        </Link>
        <CopyLink />
      </div>
    </>
  );
}

function CopyLink() {
  const { outcome, copy } = useCopy();
  const words = { idle: 'Copy link', copied: 'Copied', refused: 'Not copied' }[outcome];
  return (
    <Button size="small" icon={<Link20Regular />} onClick={() => copy(location.href)}>
      {words}
    </Button>
  );
}
