import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense, useCallback } from 'react';
import { workspaceQuery } from '../api/queries';
import { QueryWorkbench } from '../features/query/QueryWorkbench';
import { useFocusOnPage } from '../ui/useFocusOnPage';
import { usePageTitle } from '../ui/usePageTitle';
import { WorkspaceError } from './WorkspaceError';

const ChangeDrawer = lazy(() => import('../features/changes/ChangeDrawer'));
const route = getRouteApi('/shell/w/$ws/query');

export default function QueryPage() {
  const { ws } = route.useParams();
  const { q, change } = route.useSearch();
  const navigate = route.useNavigate();
  const workspace = useQuery(workspaceQuery(ws));
  usePageTitle(`Query ${workspace.data?.name ?? ws}`);
  useFocusOnPage();

  const onRan = useCallback(
    (query: string) => void navigate({ search: (old) => ({ ...old, q: query }), replace: true }),
    [navigate],
  );
  const openChange = useCallback(
    (id: string | undefined) => void navigate({ search: (old) => ({ ...old, change: id }), replace: true }),
    [navigate],
  );

  if (workspace.error && !workspace.data) {
    return (
      <WorkspaceError error={workspace.error} what="the workspace" onRetry={() => void workspace.refetch()} />
    );
  }
  return (
    <div className="page query-page">
      <div className="page-head">
        <div>
          <nav aria-label="Breadcrumb" className="crumb">
            <Link to="/w/$ws" params={{ ws }}>
              {workspace.data?.name ?? ws}
            </Link>{' '}
            /{' '}
          </nav>
          <h1>Query</h1>
        </div>
      </div>
      <QueryWorkbench key={ws} ws={ws} linked={q} onRan={onRan} onOpenChange={openChange} />
      {change !== undefined && (
        <Suspense>
          <ChangeDrawer ws={ws} id={change} onOpen={openChange} onClose={() => openChange(undefined)} />
        </Suspense>
      )}
    </div>
  );
}
