import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { Problem } from './problem';
import { sessionHeaders } from './sessionKey';

type Listener = { onOpen(): void; onEvent(event: EventSourceMessage): void };

/**
 * Reads the server-sent events of `path` until the server ends them or `signal` does; fails with why they broke off.
 * The browser's own `EventSource` sends no headers, and so not the session's key.
 */
export async function readEvents(path: string, signal: AbortSignal, listener: Listener): Promise<void> {
  const headers = { Accept: 'text/event-stream', ...sessionHeaders() };
  const response = await fetch(path, { headers, cache: 'no-store', signal });
  if (!response.ok || response.body === null) throw Problem.fromResponse(response, undefined);
  listener.onOpen();
  const parser = createParser({
    onEvent: (event) => listener.onEvent(event),
    maxBufferSize: MOST_CHARACTERS,
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
  }
}

/** Longer than any event; what goes on without an end breaks off here. */
const MOST_CHARACTERS = 4 << 20;
