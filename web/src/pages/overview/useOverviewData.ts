import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { serverNow } from '../../api/clock';
import { changesQuery, coverageQuery, machinesQuery, summaryQuery, workspaceQuery } from '../../api/queries';
import type { Change } from '../../api/types';
import { splitOpenGaps } from '../../domain/gaps';
import { resolveRange } from '../../ui/timeRange';
import { useLiveOverview } from './useLiveOverview';
import type { OverviewUrl } from './useOverviewUrl';

export type OverviewData = ReturnType<typeof useOverviewData>;

/** All that the dashboard shows, for what is chosen on it. */
export function useOverviewData({ ws, search, filters }: OverviewUrl) {
  const { range } = search;
  const period = useCallback(() => resolveRange(range, serverNow()), [range]);
  const workspace = useQuery(workspaceQuery(ws));
  const summary = useQuery(summaryQuery(ws, range, period));
  const machines = useQuery(machinesQuery(ws, range, period));
  const coverage = useQuery(coverageQuery(ws, range, period));
  const live = useLiveOverview(ws, range, filters);
  const changes = useInfiniteQuery(changesQuery(ws, live.listPeriod, filters));
  const items = useMemo(() => changes.data?.pages.flatMap((page) => page.items) ?? [], [changes.data]);
  const pending = useMemo(() => countMissing(live.arrived, items), [live.arrived, items]);
  const open = useMemo(
    () => splitOpenGaps(summary.data?.openGaps ?? 0, coverage.data ?? []),
    [summary.data, coverage.data],
  );
  const isEnabled = workspace.data?.state !== 'disabled';
  return {
    workspace,
    summary,
    machines,
    coverage,
    changes,
    /** The changes that are loaded so far. */
    items,
    /** How many changes wait to be taken into the list. */
    pending,
    live,
    isEnabled,
    isWatching: isEnabled && (summary.data?.machinesReporting ?? 0) > 0,
    open,
    machineCount: summary.data?.machines ?? 0,
  };
}

/** How many of the changes that arrived are not in the list. */
function countMissing(arrived: readonly Change[], items: readonly Change[]): number {
  const shown = new Set(items.map(({ id }) => id));
  return arrived.filter(({ id }) => !shown.has(id)).length;
}
