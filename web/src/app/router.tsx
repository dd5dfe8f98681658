import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  stripSearchParams,
} from '@tanstack/react-router';
import { isSignedOut } from '../api/problem';
import { sessionQuery } from '../api/queries';
import { NotFoundPage } from '../pages/NotFoundPage';
import { RouteError } from './RouteError';
import {
  loginSearch,
  OVERVIEW_DEFAULTS,
  overviewSearch,
  parseSearch,
  querySearch,
  stringifySearch,
} from './searchParams';
import { Shell } from './shell/Shell';

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Outlet });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: loginSearch,
  component: lazyRouteComponent(() => import('../pages/LoginPage')),
});

/** Everything but signing in needs a session. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (isSignedOut(error)) throw redirect({ to: '/login', search: { next: location.href } });
      throw error;
    }
  },
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/workspaces' });
  },
});

const workspaces = createRoute({
  getParentRoute: () => shell,
  path: '/workspaces',
  component: lazyRouteComponent(() => import('../pages/WorkspacesPage')),
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/w/$ws',
  validateSearch: overviewSearch,
  search: { middlewares: [stripSearchParams(OVERVIEW_DEFAULTS)] },
  component: lazyRouteComponent(() => import('../pages/OverviewPage')),
});

const query = createRoute({
  getParentRoute: () => shell,
  path: '/w/$ws/query',
  validateSearch: querySearch,
  loader: ({ context }) => warmUpQuery(context.queryClient),
  component: lazyRouteComponent(() => import('../pages/QueryPage')),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/w/$ws/settings',
  component: lazyRouteComponent(() => import('../pages/SettingsPage')),
});

/** What no other route names, in the frame that leads to those that there are. */
const nowhere = createRoute({ getParentRoute: () => shell, path: '$', component: NotFoundPage });

const routeTree = root.addChildren([
  login,
  home,
  shell.addChildren([workspaces, overview, query, settings, nowhere]),
]);

/** Runs beside the page, also while its link is only pointed at; the page copes without it. */
function warmUpQuery(queryClient: QueryClient): void {
  import('../features/query/warmUp').then(({ warmUp }) => warmUp(queryClient)).catch(() => undefined);
}

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFoundPage,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
