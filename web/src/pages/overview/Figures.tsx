import { useCallback } from 'react';
import type { Gap } from '../../api/types';
import { ChangesOverTime } from '../../features/summary/ChangesOverTime';
import { SummaryKpis } from '../../features/summary/SummaryKpis';
import { ErrorState } from '../../ui/ErrorState';
import { LoadingRows } from '../../ui/LoadingRows';
import type { OverviewData } from './useOverviewData';
import type { OverviewUrl } from './useOverviewUrl';

const NO_GAPS: readonly Gap[] = [];

/** The totals and the chart, in their four states. */
export function Figures({ url, data }: { url: OverviewUrl; data: OverviewData }) {
  const { search, update } = url;
  const { summary, coverage, open, isWatching } = data;
  const zoom = useCallback((range: string) => update({ range }, true), [update]);

  if (summary.isPending) return <LoadingRows rows={2} height={96} label="Loading the summary" />;
  if (!summary.data) {
    return <ErrorState error={summary.error} what="the summary" onRetry={() => void summary.refetch()} />;
  }
  const toggled = <T,>(now: string | undefined, value: T) => (now === value ? undefined : value);
  return (
    <>
      <SummaryKpis
        summary={summary.data}
        open={open}
        isWatching={isWatching}
        type={search.type}
        category={search.category}
        onType={(type) => update({ type: toggled(search.type, type), tab: 'changes' })}
        onCategory={(category) => update({ category: toggled(search.category, category), tab: 'changes' })}
        onCoverage={() => update({ tab: 'coverage' }, true)}
      />
      <ChangesOverTime
        summary={summary.data}
        gaps={coverage.data ?? NO_GAPS}
        range={search.range}
        onRange={zoom}
      />
    </>
  );
}
