import {
  Code20Regular,
  type FluentIcon,
  Grid20Regular,
  Home20Regular,
  Settings20Regular,
} from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { Link, type LinkProps } from '@tanstack/react-router';
import { workspaceQuery } from '../../api/queries';

type Props = { ws: string | undefined; isOpen: boolean; onClose(): void };

export function SideNav({ ws, isOpen, onClose }: Props) {
  return (
    <>
      <nav className={`side-nav${isOpen ? ' open' : ''}`} aria-label="Main">
        <NavItem link={{ to: '/workspaces' }} icon={Grid20Regular} label="Workspaces" />
        {ws !== undefined && <WorkspaceNav ws={ws} />}
      </nav>
      {/* A convenience for pointers; the button that opened the menu closes it too. */}
      {isOpen && <div className="scrim" aria-hidden="true" onClick={onClose} />}
    </>
  );
}

function WorkspaceNav({ ws }: { ws: string }) {
  const workspace = useQuery(workspaceQuery(ws));
  return (
    <>
      <div className="nav-heading" title={workspace.data?.name}>
        Workspace{workspace.data && ` · ${workspace.data.name}`}
      </div>
      <NavItem link={{ to: '/w/$ws', params: { ws } }} icon={Home20Regular} label="Overview" />
      <NavItem link={{ to: '/w/$ws/query', params: { ws } }} icon={Code20Regular} label="Query (KQL)" />
      <NavItem link={{ to: '/w/$ws/settings', params: { ws } }} icon={Settings20Regular} label="Settings" />
    </>
  );
}

function NavItem({ link, icon: Icon, label }: { link: LinkProps; icon: FluentIcon; label: string }) {
  return (
    <Link
      {...link}
      className="nav-item"
      activeOptions={{ exact: true, includeSearch: false }}
      activeProps={{ 'aria-current': 'page' }}
    >
      <Icon aria-hidden />
      <span>{label}</span>
    </Link>
  );
}
