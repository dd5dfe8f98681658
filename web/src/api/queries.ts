import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ok } from './client';
import type { ChangeCategory, ChangeType } from './types';

/** A period as the API takes it: ISO 8601, both ends. */
export type Period = { from: string; to: string };

export type ChangeFilters = { q?: string; type?: ChangeType; category?: ChangeCategory; machine?: string };

export const CHANGES_PAGE_SIZE = 200;

/** The first words of the query cache's keys, so that whoever changes something can name what to fetch again. */
export const keys = {
  session: ['session'] as const,
  workspaces: ['workspaces'] as const,
  workspace: (ws: string) => ['workspace', ws] as const,
};

/** The answer to the last question stays in sight while a new one is asked, but never that of another workspace. */
function keepWithin(ws: string) {
  return <T>(previous: T | undefined, query: { queryKey: readonly unknown[] } | undefined): T | undefined =>
    query?.queryKey[1] === ws ? previous : undefined;
}

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
  queryFn: ({ signal }) => ok(api.GET('/api/v1/session', { signal })),
});

export const workspacesQuery = queryOptions({
  queryKey: keys.workspaces,
  refetchInterval: 30_000,
  queryFn: ({ signal }) => ok(api.GET('/api/v1/workspaces', { signal })),
});

export const workspaceQuery = (ws: string) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'one'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/workspaces/{ws}', { params: { path: { ws } }, signal })),
  });

/** `range` names the period in the cache; `period` is asked at each fetch, so that "last 7 days" moves on. */
export const summaryQuery = (ws: string, range: string, period: () => Period) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'summary', range],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/api/v1/workspaces/{ws}/summary', {
          params: { path: { ws }, query: period() },
          signal,
        }),
      ),
    placeholderData: keepWithin(ws),
    refetchInterval: 30_000,
  });

/** While a machine takes its first baseline the list is fetched every second, so that its progress is seen. */
export const machinesQuery = (ws: string, range: string, period: () => Period) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'machines', range],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/api/v1/workspaces/{ws}/machines', {
          params: { path: { ws }, query: period() },
          signal,
        }),
      ),
    placeholderData: keepWithin(ws),
    refetchInterval: ({ state }) =>
      state.data?.some((machine) => machine.state === 'baselining') ? 1_000 : 15_000,
  });

/** The list never shifts under the reader: its period is fixed until they ask for newer changes. */
export const changesQuery = (ws: string, period: Period, filters: ChangeFilters) =>
  infiniteQueryOptions({
    queryKey: [...keys.workspace(ws), 'changes', period, filters],
    queryFn: ({ signal, pageParam }) =>
      ok(
        api.GET('/api/v1/workspaces/{ws}/changes', {
          params: {
            path: { ws },
            query: { ...period, ...filters, cursor: pageParam, limit: CHANGES_PAGE_SIZE },
          },
          signal,
        }),
      ),
    placeholderData: keepWithin(ws),
    refetchOnWindowFocus: false,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const changeQuery = (ws: string, id: string) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'change', id],
    queryFn: ({ signal }) =>
      ok(api.GET('/api/v1/workspaces/{ws}/changes/{id}', { params: { path: { ws, id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepWithin(ws),
  });

/** The text of a file before and after a change. Asking is noted by the server, so that it is done once. */
export const contentQuery = (ws: string, id: string) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'content', id],
    queryFn: ({ signal }) =>
      ok(api.GET('/api/v1/workspaces/{ws}/changes/{id}/content', { params: { path: { ws, id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export const coverageQuery = (ws: string, range: string, period: () => Period) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'coverage', range],
    queryFn: ({ signal }) =>
      ok(
        api.GET('/api/v1/workspaces/{ws}/coverage', {
          params: { path: { ws }, query: period() },
          signal,
        }),
      ),
    placeholderData: keepWithin(ws),
    refetchInterval: 30_000,
  });

export const rulesQuery = (ws: string) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'rules'],
    queryFn: ({ signal }) =>
      ok(api.GET('/api/v1/workspaces/{ws}/rules', { params: { path: { ws } }, signal })),
  });

export const fimStatusQuery = (ws: string) =>
  queryOptions({
    queryKey: [...keys.workspace(ws), 'fim'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/workspaces/{ws}/fim', { params: { path: { ws } }, signal })),
  });

export const recommendedQuery = queryOptions({
  queryKey: ['recommended'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: ({ signal }) => ok(api.GET('/api/v1/fim/recommended', { signal })),
});

export const querySchemaQuery = queryOptions({
  queryKey: ['query', 'schema'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: ({ signal }) => ok(api.GET('/api/v1/query/schema', { signal })),
});

export const capabilitiesQuery = queryOptions({
  queryKey: ['query', 'capabilities'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: ({ signal }) => ok(api.GET('/api/v1/query/capabilities', { signal })),
});
