import { useMutation } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';
import { api, ok } from '../../api/client';

/** Runs one query at a time; a new one, or Cancel, gives up the one before, and the server stops with it. */
export function useQueryRun(ws: string) {
  const running = useRef<AbortController>(undefined);
  const { mutate, data, error, isPending, reset } = useMutation({
    mutationFn: ({ query, signal }: { query: string; signal: AbortSignal }) =>
      ok(api.POST('/api/v1/workspaces/{ws}/query', { params: { path: { ws } }, body: { query }, signal })),
  });
  const run = useCallback(
    (query: string) => {
      running.current?.abort();
      running.current = new AbortController();
      mutate({ query, signal: running.current.signal });
    },
    [mutate],
  );
  const cancel = useCallback(() => {
    running.current?.abort();
    reset();
  }, [reset]);
  return { result: data, error, isPending, run, cancel };
}
