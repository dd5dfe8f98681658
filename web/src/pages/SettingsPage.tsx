import { Button, SearchBox } from '@fluentui/react-components';
import { Add20Regular } from '@fluentui/react-icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../api/client';
import { messageOf } from '../api/problem';
import { fimStatusQuery, keys, rulesQuery, workspaceQuery } from '../api/queries';
import type { Rule, SavedRule, Workspace } from '../api/types';
import { useManageRefusal } from '../api/useSession';
import { DisableDialog } from '../features/monitoring/DisableDialog';
import { EnableDialog } from '../features/monitoring/EnableDialog';
import { FimStatusCard } from '../features/monitoring/FimStatusCard';
import { DeleteRuleDialog } from '../features/rules/DeleteRuleDialog';
import { RuleDrawer } from '../features/rules/RuleDrawer';
import { RuleGrid } from '../features/rules/RuleGrid';
import { RuleWarnings } from '../features/rules/RuleWarnings';
import { EmptyState } from '../ui/EmptyState';
import { FormError } from '../ui/FormError';
import { formatQuantity } from '../ui/format';
import { LoadingRows } from '../ui/LoadingRows';
import { useFocusOnPage } from '../ui/useFocusOnPage';
import { usePageTitle } from '../ui/usePageTitle';
import { WithReason } from '../ui/WithReason';
import { WorkspaceError } from './WorkspaceError';

type OpenDialog =
  | { name: 'add' }
  | { name: 'edit'; rule: Rule }
  | { name: 'delete'; rule: Rule }
  | { name: 'enable'; workspace: Workspace }
  | { name: 'disable'; workspace: Workspace };

const route = getRouteApi('/shell/w/$ws/settings');

/** What is monitored in the workspace. */
export default function SettingsPage() {
  const { ws } = route.useParams();
  const refusal = useManageRefusal();
  const workspace = useQuery(workspaceQuery(ws));
  const fim = useQuery(fimStatusQuery(ws));
  const rules = useQuery(rulesQuery(ws));
  const toggle = useToggleRule(ws);
  const [filter, setFilter] = useState('');
  const [dialog, setDialog] = useState<OpenDialog>();
  const [doubtful, setDoubtful] = useState<SavedRule>();
  const close = () => setDialog(undefined);
  const saved = (rule: SavedRule) => {
    setDoubtful(rule.warnings.length > 0 ? rule : undefined);
    close();
  };
  usePageTitle(`Settings of ${workspace.data?.name ?? ws}`);
  useFocusOnPage();

  const all = rules.data ?? [];
  const shown = all.filter((rule) => matches(rule, filter));

  if (rules.error && !rules.data) {
    return <WorkspaceError error={rules.error} what="the settings" onRetry={() => void rules.refetch()} />;
  }
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <nav aria-label="Breadcrumb" className="crumb">
            <Link to="/w/$ws" params={{ ws }}>
              {workspace.data?.name ?? ws}
            </Link>{' '}
            /{' '}
          </nav>
          <h1>Settings</h1>
          <p className="lede">What is monitored on the machines of this workspace.</p>
        </div>
      </div>
      {fim.data && workspace.data && (
        <FimStatusCard
          status={fim.data}
          refusal={refusal}
          onEnable={() => workspace.data && setDialog({ name: 'enable', workspace: workspace.data })}
          onDisable={() => workspace.data && setDialog({ name: 'disable', workspace: workspace.data })}
        />
      )}
      {doubtful && (
        <RuleWarnings
          rule={doubtful}
          onEdit={() => setDialog({ name: 'edit', rule: doubtful })}
          onDismiss={() => setDoubtful(undefined)}
        />
      )}
      {toggle.error && <FormError>{messageOf(toggle.error)}</FormError>}
      <section className="card" aria-labelledby="rules">
        <div className="bar">
          <h2 id="rules" className="bar-title">
            Rules
          </h2>
          <span className="muted wide-only" role="status">
            {formatQuantity(shown.length, 'rule')}
          </span>
          <span className="grow" />
          <SearchBox
            placeholder="Filter by name or path"
            aria-label="Filter rules"
            value={filter}
            onChange={(_, { value }) => setFilter(value)}
          />
          <WithReason reason={refusal}>
            <Button
              appearance="primary"
              icon={<Add20Regular />}
              disabled={refusal !== undefined}
              onClick={() => setDialog({ name: 'add' })}
            >
              Add
            </Button>
          </WithReason>
        </div>
        {rules.isPending ? (
          <LoadingRows rows={8} label="Loading the rules" />
        ) : (
          <RuleGrid
            rules={shown}
            refusal={refusal}
            onToggle={(rule) => toggle.mutate(rule)}
            onEdit={(rule) => setDialog({ name: 'edit', rule })}
            onDelete={(rule) => setDialog({ name: 'delete', rule })}
            empty={
              all.length > 0 ? (
                <EmptyState title="No rule matches">Clear the filter to see all {all.length}.</EmptyState>
              ) : (
                <EmptyState title="No rule yet">
                  Nothing is monitored. Enable monitoring with the recommended items, or add a rule.
                </EmptyState>
              )
            }
          />
        )}
      </section>
      {renderDialog()}
    </div>
  );

  function renderDialog() {
    switch (dialog?.name) {
      case undefined:
        return null;
      case 'add':
        return <RuleDrawer ws={ws} rule={undefined} onSaved={saved} onClose={close} />;
      case 'edit':
        return <RuleDrawer ws={ws} rule={dialog.rule} onSaved={saved} onClose={close} />;
      case 'delete':
        return <DeleteRuleDialog ws={ws} rule={dialog.rule} onClose={close} />;
      case 'enable':
        return <EnableDialog workspace={dialog.workspace} onEnabled={close} onClose={close} />;
      case 'disable':
        return <DisableDialog workspace={dialog.workspace} onClose={close} />;
    }
  }
}

function useToggleRule(ws: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ name, enabled }: Rule) => {
      const params = { path: { ws, name } };
      return ok(
        (enabled ?? true)
          ? api.POST('/api/v1/workspaces/{ws}/rules/{name}/disable', { params })
          : api.POST('/api/v1/workspaces/{ws}/rules/{name}/enable', { params }),
      );
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.workspace(ws) }),
  });
}

function matches({ name, path }: Rule, filter: string): boolean {
  const text = filter.trim().toLowerCase();
  return name.toLowerCase().includes(text) || path.toLowerCase().includes(text);
}
