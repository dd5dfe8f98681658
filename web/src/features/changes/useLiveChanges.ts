import { useEffect, useState } from 'react';
import type { Change } from '../../api/types';
import { parseChange } from './liveChanges';

export type LiveState = 'connecting' | 'open' | 'lost';

const RECONNECT_MILLIS = 5_000;

/**
 * Follows the workspace's stream of changes from the moment `since` on; a change may come twice. The browser reconnects
 * by itself after a broken connection, but not after a refusal, as while the server restarts behind a proxy; so that is
 * done here, from the last change that was seen.
 */
export function useLiveChanges(ws: string, since: number, onChange: (change: Change) => void): LiveState {
  const [state, setState] = useState<LiveState>('connecting');

  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let after = new Date(since).toISOString();

    const connect = () => {
      const query = new URLSearchParams({ after });
      const stream = new EventSource(`/api/v1/workspaces/${encodeURIComponent(ws)}/changes/stream?${query}`);
      stream.addEventListener('open', () => setState('open'));
      stream.addEventListener('change', ({ data }) => {
        const change = parseChange(data);
        if (!change) return;
        after = change.id;
        onChange(change);
      });
      stream.addEventListener('error', () => {
        setState('lost');
        if (stream.readyState === EventSource.CLOSED) timer = setTimeout(connect, RECONNECT_MILLIS);
      });
      source = stream;
    };

    connect();
    return () => {
      clearTimeout(timer);
      source?.close();
    };
  }, [ws, since, onChange]);

  return state;
}
