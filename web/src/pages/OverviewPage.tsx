import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { serverNow } from '../api/clock';
import {
  type ChangeFilters,
  changesQuery,
  coverageQuery,
  machinesQuery,
  summaryQuery,
  workspaceQuery,
} from '../api/queries';
import type { Change, Machine } from '../api/types';
import { useManageRefusal } from '../api/useSession';
import type { OverviewSearch } from '../app/searchParams';
import { useShortcuts } from '../app/shortcuts';
import { isChangeType } from '../domain/category';
import { changesKql } from '../domain/kql';
import { ChangeList } from '../features/changes/ChangeList';
import { ChangesEmpty } from '../features/changes/ChangesEmpty';
import { LivePill } from '../features/changes/LivePill';
import { CoverageBanner } from '../features/coverage/CoverageBanner';
import { MonitoringOff } from '../features/monitoring/MonitoringOff';
import { ChangesOverTime } from '../features/summary/ChangesOverTime';
import { SummaryKpis } from '../features/summary/SummaryKpis';
import { ErrorState } from '../ui/ErrorState';
import { LoadingRows } from '../ui/LoadingRows';
import { resolveRange } from '../ui/timeRange';
import { usePageTitle } from '../ui/usePageTitle';
import { CoverageTab } from './overview/CoverageTab';
import { FilterChips } from './overview/FilterChips';
import { type OverviewDialog, OverviewDialogs } from './overview/OverviewDialogs';
import { OverviewHead } from './overview/OverviewHead';
import { OverviewTabs } from './overview/OverviewTabs';
import { ServersTab } from './overview/ServersTab';
import { useLiveOverview } from './overview/useLiveOverview';

const ChangeDrawer = lazy(() => import('../features/changes/ChangeDrawer'));
const route = getRouteApi('/shell/w/$ws');

/** The workspace's dashboard. All that is chosen on it is in the URL. */
export default function OverviewPage() {
  const { ws } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const refusal = useManageRefusal();
  const [dialog, setDialog] = useState<OverviewDialog>();

  /** Filters replace the place in the history; what opens or goes somewhere adds one, so that Back undoes it. */
  const update = useCallback(
    (patch: Partial<OverviewSearch>, push = false) =>
      void navigate({ search: (old) => ({ ...old, ...patch }), replace: !push }),
    [navigate],
  );

  const { range, tab } = search;
  const period = useCallback(() => resolveRange(range, serverNow()), [range]);
  const filters = useFilters(search);

  const workspace = useQuery(workspaceQuery(ws));
  const summary = useQuery(summaryQuery(ws, range, period));
  const machines = useQuery(machinesQuery(ws, range, period));
  const coverage = useQuery(coverageQuery(ws, range, period));
  const live = useLiveOverview(ws, range, filters);
  const changes = useInfiniteQuery(changesQuery(ws, live.listPeriod, filters));
  const items = useMemo(() => changes.data?.pages.flatMap((page) => page.items) ?? [], [changes.data]);

  const pending = useMemo(() => countMissing(live.arrived, items), [live.arrived, items]);

  usePageTitle(workspace.data?.name ?? 'Overview');
  useShortcuts(useMemo(() => ({ r: live.refresh }), [live.refresh]));

  const selected = search.change;
  const openChange = useCallback(
    (change: Change) => update({ change: change.id }, selected === undefined),
    [update, selected],
  );
  const step = useCallback(
    (by: 1 | -1) => {
      const next = items[items.findIndex(({ id }) => id === selected) + by];
      if (next) update({ change: next.id });
    },
    [items, selected, update],
  );
  const closeDrawer = useCallback(() => update({ change: undefined }), [update]);
  const onRange = useCallback((next: string) => update({ range: next }, true), [update]);

  if (workspace.error && !workspace.data) {
    return (
      <div className="page">
        <ErrorState
          page
          error={workspace.error}
          what="the workspace"
          onRetry={() => void workspace.refetch()}
        />
      </div>
    );
  }

  const isEnabled = workspace.data?.state !== 'disabled';
  const isWatching = isEnabled && (summary.data?.machinesReporting ?? 0) > 0;
  const openGaps = summary.data?.openGaps ?? 0;
  const clearFilters = () =>
    update({ q: undefined, type: undefined, category: undefined, machine: undefined });
  const queryMachine = (machine: Machine) =>
    void navigate({
      to: '/w/$ws/query',
      params: { ws },
      search: { q: changesKql(range, { machine: machine.name }) },
    });

  return (
    <div className="page">
      <OverviewHead
        ws={ws}
        workspace={workspace.data}
        range={range}
        live={live.state}
        query={changesKql(range, filters)}
        refusal={refusal}
        onRange={onRange}
        onRefresh={live.refresh}
        onDialog={setDialog}
      />
      {!isEnabled && (
        <MonitoringOff
          refusal={refusal}
          onEnable={() => workspace.data && setDialog({ name: 'enable', workspace: workspace.data })}
        />
      )}
      {isEnabled && openGaps > 0 && tab !== 'coverage' && (
        <CoverageBanner openGaps={openGaps} onShow={() => update({ tab: 'coverage' }, true)} />
      )}
      {summary.isPending && <LoadingRows rows={2} height={96} label="Loading the summary" />}
      {summary.error && !summary.data && (
        <ErrorState error={summary.error} what="the summary" onRetry={() => void summary.refetch()} />
      )}
      {summary.data && (
        <>
          <SummaryKpis
            summary={summary.data}
            isWatching={isWatching}
            type={search.type}
            category={search.category}
            onType={(type) => update({ type: search.type === type ? undefined : type, tab: 'changes' })}
            onCategory={(category) =>
              update({ category: search.category === category ? undefined : category, tab: 'changes' })
            }
            onCoverage={() => update({ tab: 'coverage' }, true)}
          />
          <ChangesOverTime summary={summary.data} range={range} onRange={onRange} />
        </>
      )}
      <div className="card">
        <OverviewTabs
          ws={ws}
          tab={tab}
          range={range}
          filters={filters}
          counts={{
            servers: machines.data?.length,
            changes: changes.data?.pages[0]?.total,
            coverage: coverage.data?.length,
          }}
          openGaps={openGaps}
          onTab={(next) => update({ tab: next }, true)}
          onSearch={(q) => update({ q })}
        />
        {tab === 'changes' && <FilterChips search={search} onChange={update} />}
        {tab === 'servers' && (
          <ServersTab
            query={machines}
            refusal={refusal}
            onOpen={queryMachine}
            onShowChanges={({ name }) => update({ tab: 'changes', machine: name }, true)}
            onDialog={setDialog}
          />
        )}
        {tab === 'changes' && (
          <>
            <LivePill count={pending} onShow={live.refresh} />
            <ChangeList
              query={changes}
              changes={items}
              selectedId={selected}
              onOpen={openChange}
              empty={
                <ChangesEmpty
                  isFiltered={Object.values(filters).some((value) => value !== undefined)}
                  isEnabled={isEnabled}
                  machines={summary.data?.machines ?? 0}
                  openGaps={openGaps}
                  onClear={clearFilters}
                />
              }
            />
          </>
        )}
        {tab === 'coverage' && (
          <CoverageTab query={coverage} isEnabled={isEnabled} machines={summary.data?.machines ?? 0} />
        )}
      </div>
      {selected !== undefined && (
        <Suspense>
          <ChangeDrawer
            ws={ws}
            id={selected}
            onStep={step}
            onOpen={(id) => update({ change: id })}
            onClose={closeDrawer}
          />
        </Suspense>
      )}
      <OverviewDialogs ws={ws} dialog={dialog} onClose={() => setDialog(undefined)} />
    </div>
  );
}

/** How many of the changes that arrived are not in the list. */
function countMissing(arrived: readonly Change[], items: readonly Change[]): number {
  const shown = new Set(items.map(({ id }) => id));
  return arrived.filter(({ id }) => !shown.has(id)).length;
}

function useFilters({ q, type, category, machine }: OverviewSearch): ChangeFilters {
  return useMemo(
    () => ({
      ...(q === undefined ? {} : { q }),
      ...(isChangeType(type) ? { type } : {}),
      ...(category === undefined ? {} : { category }),
      ...(machine === undefined ? {} : { machine }),
    }),
    [q, type, category, machine],
  );
}
