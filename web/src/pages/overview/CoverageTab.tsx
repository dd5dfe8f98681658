import type { UseQueryResult } from '@tanstack/react-query';
import type { Gap } from '../../api/types';
import { CoverageEmpty } from '../../features/coverage/CoverageEmpty';
import { CoverageGrid } from '../../features/coverage/CoverageGrid';
import { ErrorState } from '../../ui/ErrorState';
import { LoadingRows } from '../../ui/LoadingRows';

type Props = { query: UseQueryResult<Gap[]>; isEnabled: boolean; machines: number };

export function CoverageTab({ query, isEnabled, machines }: Props) {
  if (query.isPending) return <LoadingRows label="Loading coverage" />;
  if (query.error && !query.data) {
    return <ErrorState error={query.error} what="the coverage" onRetry={() => void query.refetch()} />;
  }
  return (
    <CoverageGrid
      gaps={query.data ?? []}
      empty={<CoverageEmpty isEnabled={isEnabled} machines={machines} />}
    />
  );
}
