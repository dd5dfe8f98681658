import { useCallback } from 'react';
import type { Change } from '../../api/types';
import { ChangeList } from '../../features/changes/ChangeList';
import { ChangesEmpty } from '../../features/changes/ChangesEmpty';
import { LivePill } from '../../features/changes/LivePill';
import { isAllWatched } from '../../features/summary/unwatched';
import { FilterChips } from './FilterChips';
import type { OverviewData } from './useOverviewData';
import type { OverviewUrl } from './useOverviewUrl';

type Props = { url: OverviewUrl; data: OverviewData };

export function ChangesTab({ url, data }: Props) {
  const { search, filters, update, clearFilters } = url;
  const { changes, items, pending, live, isEnabled, machineCount, open: openGaps, summary } = data;
  const selected = search.change;
  // The first one opened adds a place in the history; walking on does not.
  const open = useCallback(
    (change: Change) => update({ change: change.id }, selected === undefined),
    [update, selected],
  );
  return (
    <>
      <FilterChips search={search} onChange={update} />
      <LivePill count={pending} onShow={live.refresh} />
      <ChangeList
        query={changes}
        changes={items}
        selectedId={selected}
        onOpen={open}
        empty={
          <ChangesEmpty
            isFiltered={Object.keys(filters).length > 0}
            isEnabled={isEnabled}
            machines={machineCount}
            open={openGaps}
            isAllWatched={summary.data ? isAllWatched(summary.data) : false}
            onClear={clearFilters}
          />
        }
      />
    </>
  );
}
