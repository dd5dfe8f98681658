import { useEffect, useState } from 'react';
import { readEvents } from '../../api/events';
import type { Change } from '../../api/types';
import { parseChange } from './liveChanges';

export type LiveState = 'connecting' | 'open' | 'lost';

const RECONNECT_MILLIS = 3_000;

/**
 * Follows the workspace's stream of changes from the moment `since` on; a change may come twice. A stream that breaks off
 * or is refused, as while the server restarts, is asked for again from the last change that was seen.
 */
export function useLiveChanges(ws: string, since: number, onChange: (change: Change) => void): LiveState {
  const [state, setState] = useState<LiveState>('connecting');

  useEffect(() => {
    const left = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let after = new Date(since).toISOString();

    const follow = async () => {
      const query = new URLSearchParams({ after });
      const path = `/api/v1/workspaces/${encodeURIComponent(ws)}/changes/stream?${query}`;
      const take = (data: string) => {
        const change = parseChange(data);
        if (!change) return;
        after = change.id;
        onChange(change);
      };
      const onOpen = () => setState('open');
      const onEvent = ({ event, data }: { event?: string | undefined; data: string }) => {
        if (event === 'change') take(data);
      };
      // Why it broke off is told by the calls that the page makes beside it.
      await readEvents(path, left.signal, { onOpen, onEvent }).catch(() => undefined);
      if (left.signal.aborted) return;
      setState('lost');
      timer = setTimeout(follow, RECONNECT_MILLIS);
    };

    void follow();
    return () => {
      clearTimeout(timer);
      left.abort();
    };
  }, [ws, since, onChange]);

  return state;
}
