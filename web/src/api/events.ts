import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { Problem } from './problem';
import { sessionHeaders } from './sessionKey';

type Listener = { onOpen(): void; onEvent(event: EventSourceMessage): void };

/**
 * Reads the server-sent events of `path` until the server ends them or `signal` does; fails with why they broke off, which
 * may be that nothing was heard for long.
 * The browser's own `EventSource` sends no headers, and so not the session's key.
 */
export async function readEvents(path: string, signal: AbortSignal, listener: Listener): Promise<void> {
  const headers = { Accept: 'text/event-stream', ...sessionHeaders() };
  const silence = new Silence();
  try {
    const both = AbortSignal.any([signal, silence.signal]);
    const response = await fetch(path, { headers, cache: 'no-store', signal: both });
    await read(response, listener, silence);
  } finally {
    silence.end();
  }
}

async function read(response: Response, listener: Listener, silence: Silence): Promise<void> {
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
    silence.interrupt();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}

/** Ends what a dead connection would let wait for ever, which nothing else tells of. */
class Silence {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal = this.#controller.signal;

  constructor() {
    this.interrupt();
  }

  /** Something was heard. */
  interrupt(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), SILENCE_MILLIS);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** The server gives a sign of life every 15 seconds; three of them are missing then. */
export const SILENCE_MILLIS = 45_000;
/** Longer than any event; what goes on without an end breaks off here. */
const MOST_CHARACTERS = 4 << 20;
