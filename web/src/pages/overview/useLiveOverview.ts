import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { serverNow } from '../../api/clock';
import { type ChangeFilters, keys, type Period } from '../../api/queries';
import type { Change } from '../../api/types';
import { matchesFilters } from '../../features/changes/liveChanges';
import { type LiveState, useLiveChanges } from '../../features/changes/useLiveChanges';
import { isAbsolute, resolveRange } from '../../ui/timeRange';

/** The figures follow the stream, but not more often than this. */
const FIGURES_MILLIS = 2_000;

/** The stream starts this much before the list ends, so that no change falls between the two. */
const OVERLAP_MILLIS = 5_000;

export type LiveOverview = {
  state: LiveState;
  /** The period that the list shows; it stands still until somebody refreshes. */
  listPeriod: Period;
  /** Changes that came since and that the list would show, the newest first. */
  arrived: readonly Change[];
  refresh(): void;
};

/** Counts what is new, keeps the figures up to date, and leaves the list alone. */
export function useLiveOverview(ws: string, range: string, filters: ChangeFilters): LiveOverview {
  const queryClient = useQueryClient();
  const [listTime, setListTime] = useState(serverNow);
  const [arrived, setArrived] = useState<readonly Change[]>([]);
  const figures = useRef<ReturnType<typeof setTimeout>>(undefined);

  const refreshFigures = useCallback(() => {
    figures.current ??= setTimeout(() => {
      figures.current = undefined;
      const [scope, id] = keys.workspace(ws);
      void queryClient.invalidateQueries({
        predicate: ({ queryKey }) =>
          queryKey[0] === scope && queryKey[1] === id && FIGURES.has(String(queryKey[2])),
      });
    }, FIGURES_MILLIS);
  }, [queryClient, ws]);
  useEffect(() => () => clearTimeout(figures.current), []);

  const onChange = useCallback(
    (change: Change) => {
      setArrived((old) => (old.some(({ id }) => id === change.id) ? old : [change, ...old]));
      refreshFigures();
    },
    [refreshFigures],
  );
  const [since] = useState(() => serverNow() - OVERLAP_MILLIS);
  const state = useLiveChanges(ws, since, onChange);

  const refresh = useCallback(() => {
    setListTime(serverNow());
    setArrived([]);
    void queryClient.invalidateQueries({ queryKey: keys.workspace(ws) });
  }, [queryClient, ws]);

  const listPeriod = useMemo(() => resolveRange(range, listTime), [range, listTime]);
  const matching = useMemo(
    () => (isAbsolute(range) ? [] : arrived.filter((change) => matchesFilters(change, filters))),
    [arrived, filters, range],
  );
  return { state, listPeriod, arrived: matching, refresh };
}

const FIGURES = new Set(['summary', 'machines', 'coverage']);
