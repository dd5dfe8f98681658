import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { ChangeFilters } from '../../api/queries';
import type { OverviewSearch } from '../../app/searchParams';
import { isChangeType } from '../../domain/category';

const route = getRouteApi('/shell/w/$ws');

export type OverviewUrl = {
  ws: string;
  search: OverviewSearch;
  /** The filters of the list of changes; only those that are set. */
  filters: ChangeFilters;
  /** Filters replace the place in the history; what opens or leads somewhere adds one, so that Back undoes it. */
  update(patch: Partial<OverviewSearch>, push?: boolean): void;
  clearFilters(): void;
};

/** What is chosen on the dashboard, all of which is in the URL. */
export function useOverviewUrl(): OverviewUrl {
  const { ws } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const update = useCallback(
    (patch: Partial<OverviewSearch>, push = false) =>
      void navigate({ search: (old) => ({ ...old, ...patch }), replace: !push }),
    [navigate],
  );
  const clearFilters = useCallback(
    () => update({ q: undefined, type: undefined, category: undefined, machine: undefined }),
    [update],
  );
  const { q, type, category, machine } = search;
  const filters = useMemo<ChangeFilters>(
    () => ({
      ...(q === undefined ? {} : { q }),
      ...(isChangeType(type) ? { type } : {}),
      ...(category === undefined ? {} : { category }),
      ...(machine === undefined ? {} : { machine }),
    }),
    [q, type, category, machine],
  );
  return { ws, search, filters, update, clearFilters };
}
