import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import './shell.css';
import { focusGrid } from '../../ui/useReturnFocus';
import { useShortcuts } from '../shortcuts';
import { ShortcutsDialog } from './ShortcutsDialog';
import { SideNav } from './SideNav';
import { TopBar } from './TopBar';

/** The frame around every page but sign-in. */
export function Shell() {
  const { ws } = useParams({ strict: false });
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const isLoading = useRouterState({ select: (state) => state.isLoading });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [isNavOpen, setNavOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const search = useRef<HTMLInputElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page starts at its top and closes the menu.
  useEffect(() => {
    main.current?.scrollTo(0, 0);
    setNavOpen(false);
  }, [path]);

  const shortcuts = useMemo(() => {
    const inWorkspace = (go: (id: string) => void) => (ws === undefined ? undefined : () => go(ws));
    return {
      '?': () => setHelpOpen(true),
      '/': () => focusSearch(search.current),
      j: focusGrid,
      k: focusGrid,
      r: () => void queryClient.invalidateQueries({ refetchType: 'active' }),
      'g w': () => void navigate({ to: '/workspaces' }),
      'g o': inWorkspace((id) => void navigate({ to: '/w/$ws', params: { ws: id } })),
      'g q': inWorkspace((id) => void navigate({ to: '/w/$ws/query', params: { ws: id } })),
      'g s': inWorkspace((id) => void navigate({ to: '/w/$ws/settings', params: { ws: id } })),
    };
  }, [ws, navigate, queryClient]);
  useShortcuts(shortcuts);

  return (
    <div className="shell">
      <a href="#main" className="skip-link">
        Skip to content
      </a>
      {isLoading && <div className="page-progress" role="progressbar" aria-label="Loading page" />}
      <TopBar
        ws={ws}
        searchRef={search}
        isNavOpen={isNavOpen}
        onToggleNav={() => setNavOpen(!isNavOpen)}
        onHelp={() => setHelpOpen(true)}
      />
      <SideNav ws={ws} isOpen={isNavOpen} onClose={() => setNavOpen(false)} />
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      {isHelpOpen && <ShortcutsDialog onClose={() => setHelpOpen(false)} />}
    </div>
  );
}

/** The header's field is hidden on narrow screens; the page may have one of its own. */
function focusSearch(headerField: HTMLInputElement | null) {
  const isShown = headerField !== null && headerField.offsetParent !== null;
  const field = isShown ? headerField : document.querySelector<HTMLInputElement>('main input[type=search]');
  field?.focus();
  field?.select();
}
