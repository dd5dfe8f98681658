import { Button, SearchBox } from '@fluentui/react-components';
import { Add20Regular, ArrowSync20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { workspacesQuery } from '../api/queries';
import type { Workspace } from '../api/types';
import { useManageRefusal } from '../api/useSession';
import { EnableDialog } from '../features/monitoring/EnableDialog';
import { CreateWorkspaceDialog } from '../features/workspaces/CreateWorkspaceDialog';
import { WorkspaceGrid } from '../features/workspaces/WorkspaceGrid';
import { WorkspaceKpis } from '../features/workspaces/WorkspaceKpis';
import { EmptyState } from '../ui/EmptyState';
import { ErrorState } from '../ui/ErrorState';
import { formatQuantity } from '../ui/format';
import { LoadingRows } from '../ui/LoadingRows';
import { useFocusOnPage } from '../ui/useFocusOnPage';
import { usePageTitle } from '../ui/usePageTitle';
import { WithReason } from '../ui/WithReason';

type OpenDialog = { name: 'create' } | { name: 'enable'; workspace: Workspace } | undefined;

export default function WorkspacesPage() {
  usePageTitle('Workspaces');
  useFocusOnPage();
  const navigate = useNavigate();
  const refusal = useManageRefusal();
  const workspaces = useQuery(workspacesQuery);
  const [filter, setFilter] = useState('');
  const [dialog, setDialog] = useState<OpenDialog>();
  const close = () => setDialog(undefined);
  const open = ({ id }: Workspace) => void navigate({ to: '/w/$ws', params: { ws: id } });
  const all = workspaces.data ?? [];
  const shown = all.filter((workspace) => matches(workspace, filter));

  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Workspaces</h1>
          <p className="lede">
            Every workspace you can read, with what changed on its machines in the last week.
          </p>
        </div>
        <div className="row">
          <Button
            className="wide-only"
            icon={<ArrowSync20Regular />}
            onClick={() => void workspaces.refetch()}
          >
            Refresh
          </Button>
          <WithReason reason={refusal}>
            <Button
              appearance="primary"
              icon={<Add20Regular />}
              disabled={refusal !== undefined}
              onClick={() => setDialog({ name: 'create' })}
            >
              Create workspace
            </Button>
          </WithReason>
        </div>
      </div>
      {workspaces.isPending && <LoadingRows rows={4} height={64} label="Loading workspaces" />}
      {workspaces.error && !workspaces.data && (
        <ErrorState
          error={workspaces.error}
          what="the workspaces"
          onRetry={() => void workspaces.refetch()}
        />
      )}
      {workspaces.data && (
        <>
          <WorkspaceKpis workspaces={all} />
          <div className="card">
            <div className="bar">
              <SearchBox
                placeholder="Filter by name, location or subscription"
                aria-label="Filter workspaces"
                value={filter}
                onChange={(_, { value }) => setFilter(value)}
              />
              <span className="muted wide-only" role="status">
                {formatQuantity(shown.length, 'workspace')}
              </span>
            </div>
            <WorkspaceGrid
              workspaces={shown}
              refusal={refusal}
              onOpen={open}
              onEnable={(workspace) => setDialog({ name: 'enable', workspace })}
              empty={renderEmpty()}
            />
          </div>
        </>
      )}
      {dialog?.name === 'create' && <CreateWorkspaceDialog onCreated={open} onClose={close} />}
      {dialog?.name === 'enable' && (
        <EnableDialog workspace={dialog.workspace} onEnabled={() => open(dialog.workspace)} onClose={close} />
      )}
    </div>
  );

  function renderEmpty() {
    if (all.length > 0) {
      return <EmptyState title="No workspace matches">Clear the filter to see all {all.length}.</EmptyState>;
    }
    return (
      <EmptyState title="No workspace yet">
        {refusal ? 'Ask an owner to give you access to one.' : 'Create one, then add machines to it.'}
      </EmptyState>
    );
  }
}

function matches({ name, location, subscription }: Workspace, filter: string): boolean {
  const text = filter.trim().toLowerCase();
  return [name, location, subscription].some((field) => field.toLowerCase().includes(text));
}
