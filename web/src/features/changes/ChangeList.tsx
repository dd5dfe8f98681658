import type { UseInfiniteQueryResult } from '@tanstack/react-query';
import { type ReactNode, useCallback } from 'react';
import type { Change, ChangePage } from '../../api/types';
import { ErrorState } from '../../ui/ErrorState';
import { LoadingRows } from '../../ui/LoadingRows';
import { ChangeGrid } from './ChangeGrid';

type Props = {
  query: UseInfiniteQueryResult<{ pages: ChangePage[] }>;
  changes: readonly Change[];
  selectedId: string | undefined;
  empty: ReactNode;
  onOpen(change: Change): void;
};

/** The list in its four states; more of it is fetched as its end comes into view. */
export function ChangeList({ query, changes, selectedId, empty, onOpen }: Props) {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (query.isPending) return <LoadingRows rows={8} label="Loading changes" />;
  if (query.error && !query.data) {
    return <ErrorState error={query.error} what="the changes" onRetry={() => void query.refetch()} />;
  }
  return (
    <ChangeGrid
      changes={changes}
      total={query.data?.pages[0]?.total ?? changes.length}
      selectedId={selectedId}
      empty={empty}
      onOpen={onOpen}
      onEnd={onEnd}
    />
  );
}
