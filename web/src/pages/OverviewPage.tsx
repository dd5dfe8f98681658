import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Gap, Machine } from '../api/types';
import { useManageRefusal } from '../api/useSession';
import { useShortcuts } from '../app/shortcuts';
import { changesKql } from '../domain/kql';
import { CoverageBanner } from '../features/coverage/CoverageBanner';
import { MonitoringOff } from '../features/monitoring/MonitoringOff';
import { useFocusOnPage } from '../ui/useFocusOnPage';
import { usePageTitle } from '../ui/usePageTitle';
import { ChangesTab } from './overview/ChangesTab';
import { CoverageTab } from './overview/CoverageTab';
import { Figures } from './overview/Figures';
import { OpenChange } from './overview/OpenChange';
import { type OverviewDialog, OverviewDialogs } from './overview/OverviewDialogs';
import { OverviewHead } from './overview/OverviewHead';
import { OverviewTabs } from './overview/OverviewTabs';
import { ServersTab } from './overview/ServersTab';
import { useOverviewData } from './overview/useOverviewData';
import { useOverviewUrl } from './overview/useOverviewUrl';
import { WorkspaceError } from './WorkspaceError';

/** The workspace's dashboard. */
export default function OverviewPage() {
  const url = useOverviewUrl();
  const data = useOverviewData(url);
  const navigate = useNavigate();
  const refusal = useManageRefusal();
  const [dialog, setDialog] = useState<OverviewDialog>();

  const { ws, search, filters, update } = url;
  const { workspace, live, isEnabled, open } = data;
  usePageTitle(workspace.data?.name ?? 'Overview');
  useFocusOnPage();
  useShortcuts(useMemo(() => ({ r: live.refresh }), [live.refresh]));

  if (workspace.error && !workspace.data) {
    return (
      <WorkspaceError error={workspace.error} what="the workspace" onRetry={() => void workspace.refetch()} />
    );
  }

  const showCoverage = () => update({ tab: 'coverage' }, true);
  return (
    <div className="page">
      <OverviewHead
        ws={ws}
        workspace={workspace.data}
        range={search.range}
        live={live.state}
        query={changesKql(search.range, filters)}
        refusal={refusal}
        onRange={(range) => update({ range }, true)}
        onRefresh={live.refresh}
        onDialog={setDialog}
      />
      {!isEnabled && (
        <MonitoringOff
          refusal={refusal}
          onEnable={() => workspace.data && setDialog({ name: 'enable', workspace: workspace.data })}
        />
      )}
      {isEnabled && open.troubles + open.firstLooks > 0 && search.tab !== 'coverage' && (
        <CoverageBanner open={open} onShow={showCoverage} />
      )}
      <Figures url={url} data={data} />
      <div className="card">
        <OverviewTabs
          ws={ws}
          tab={search.tab}
          range={search.range}
          filters={filters}
          counts={{
            servers: data.machines.data?.length,
            changes: data.changes.data?.pages[0]?.total,
            coverage: open.troubles || data.coverage.data?.length,
          }}
          troubles={open.troubles}
          onTab={(tab) => update({ tab, gap: undefined }, true)}
          onSearch={(q) => update({ q })}
        />
        {renderTab()}
      </div>
      <OpenChange url={url} data={data} />
      <OverviewDialogs ws={ws} dialog={dialog} onClose={() => setDialog(undefined)} />
    </div>
  );

  function renderTab() {
    switch (search.tab) {
      case 'servers':
        return (
          <ServersTab
            query={data.machines}
            gaps={data.coverage.data ?? NO_GAPS}
            refusal={refusal}
            onOpen={({ name }) => update({ tab: 'changes', machine: name }, true)}
            onQuery={queryMachine}
            onDialog={setDialog}
          />
        );
      case 'changes':
        return <ChangesTab url={url} data={data} />;
      case 'coverage':
        return (
          <CoverageTab url={url} query={data.coverage} isEnabled={isEnabled} machines={data.machineCount} />
        );
    }
  }

  function queryMachine(machine: Machine) {
    const q = changesKql(search.range, { machine: machine.name });
    void navigate({ to: '/w/$ws/query', params: { ws }, search: { q } });
  }
}

const NO_GAPS: readonly Gap[] = [];
