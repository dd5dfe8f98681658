import type { UseQueryResult } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { Gap } from '../../api/types';
import { CoverageEmpty } from '../../features/coverage/CoverageEmpty';
import { CoverageGrid } from '../../features/coverage/CoverageGrid';
import { gapId } from '../../features/coverage/cause';
import { ErrorState } from '../../ui/ErrorState';
import { LoadingRows } from '../../ui/LoadingRows';
import type { OverviewUrl } from './useOverviewUrl';

const GapDrawer = lazy(() => import('../../features/coverage/GapDrawer'));

type Props = { url: OverviewUrl; query: UseQueryResult<Gap[]>; isEnabled: boolean; machines: number };

export function CoverageTab({ url, query, isEnabled, machines }: Props) {
  const { ws, search, update } = url;
  if (query.isPending) return <LoadingRows label="Loading coverage" />;
  if (query.error && !query.data) {
    return <ErrorState error={query.error} what="the coverage" onRetry={() => void query.refetch()} />;
  }
  const gaps = query.data ?? [];
  const open = gaps.find((gap) => gapId(gap) === search.gap);
  return (
    <>
      <CoverageGrid
        gaps={gaps}
        selectedId={search.gap}
        // The first one opened adds a place in the history; going on to another does not.
        onOpen={(gap) => update({ gap: gapId(gap) }, search.gap === undefined)}
        empty={<CoverageEmpty isEnabled={isEnabled} machines={machines} />}
      />
      {open && (
        <Suspense>
          <GapDrawer ws={ws} gap={open} gaps={gaps} onClose={() => update({ gap: undefined })} />
        </Suspense>
      )}
    </>
  );
}
