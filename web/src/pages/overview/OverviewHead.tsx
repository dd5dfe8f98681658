import {
  Menu,
  MenuDivider,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Toolbar,
  ToolbarButton,
} from '@fluentui/react-components';
import {
  ArrowSync20Regular,
  Code20Regular,
  MoreHorizontal20Regular,
  Settings20Regular,
} from '@fluentui/react-icons';
import { Link, useNavigate } from '@tanstack/react-router';
import './overview.css';
import { serverNow } from '../../api/clock';
import type { Workspace } from '../../api/types';
import type { LiveState } from '../../features/changes/useLiveChanges';
import { formatTimeZone, readersTimeZone } from '../../ui/format';
import { TimeRangeMenu } from '../../ui/TimeRangeMenu';
import type { OverviewDialog } from './OverviewDialogs';

type Props = {
  ws: string;
  workspace: Workspace | undefined;
  range: string;
  live: LiveState;
  /** The query that finds what the page shows. */
  query: string;
  refusal: string | undefined;
  onRange(range: string): void;
  onRefresh(): void;
  onDialog(dialog: OverviewDialog): void;
};

const LIVE_WORDS: Record<LiveState, string> = {
  connecting: 'connecting…',
  open: 'live',
  lost: 'reconnecting…',
};

export function OverviewHead(props: Props) {
  const { ws, workspace, range, live, query, refusal, onRange, onRefresh, onDialog } = props;
  const navigate = useNavigate();
  const goTo = {
    query: () => void navigate({ to: '/w/$ws/query', params: { ws }, search: { q: query } }),
    settings: () => void navigate({ to: '/w/$ws/settings', params: { ws } }),
  };
  return (
    <div className="page-head">
      <div>
        <nav aria-label="Breadcrumb" className="crumb">
          <Link to="/workspaces">Workspaces</Link> /{' '}
        </nav>
        <h1>{workspace?.name ?? ws}</h1>
        <p className="lede overview-lede">
          {workspace && (
            <>
              <span>Location: {workspace.location}</span>
              <span>Subscription: {workspace.subscription}</span>
            </>
          )}
          <span>Times in {formatTimeZone(readersTimeZone(), new Date())}</span>
          <span className={`live ${live}`} role="status">
            {LIVE_WORDS[live]}
          </span>
        </p>
      </div>
      <Toolbar aria-label="Dashboard actions" className="toolbar">
        <TimeRangeMenu range={range} now={serverNow} onRange={onRange} />
        <ToolbarButton className="wide-only" icon={<ArrowSync20Regular />} onClick={onRefresh}>
          Refresh
        </ToolbarButton>
        <ToolbarButton className="wide-only" icon={<Code20Regular />} onClick={goTo.query}>
          Query
        </ToolbarButton>
        <ToolbarButton className="wide-only" icon={<Settings20Regular />} onClick={goTo.settings}>
          Settings
        </ToolbarButton>
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <ToolbarButton aria-label="More actions" icon={<MoreHorizontal20Regular />} />
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              <MenuItem
                disabled={refusal !== undefined}
                title={refusal}
                onClick={() => onDialog({ name: 'add-machine' })}
              >
                Add a machine…
              </MenuItem>
              <MenuItem onClick={onRefresh}>Refresh</MenuItem>
              <MenuItem onClick={goTo.query}>View in query</MenuItem>
              {workspace?.state === 'enabled' && (
                <>
                  <MenuDivider />
                  <MenuItem
                    disabled={refusal !== undefined}
                    title={refusal}
                    onClick={() => onDialog({ name: 'disable', workspace })}
                  >
                    Disable monitoring…
                  </MenuItem>
                </>
              )}
            </MenuList>
          </MenuPopover>
        </Menu>
      </Toolbar>
    </div>
  );
}
