import { afterEach, expect, test, vi } from 'vitest';
import { readEvents, SILENCE_MILLIS } from './events';
import { rememberSessionKey } from './sessionKey';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What is heard of a stream whose bytes come in these pieces, and the headers it was asked for with. */
async function heard(pieces: Uint8Array[], status = 200) {
  const kept = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  });
  rememberSessionKey('the key');
  const asked: unknown[] = [];
  vi.stubGlobal('fetch', (path: string, { headers }: RequestInit) => {
    asked.push([path, headers]);
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    return Promise.resolve(new Response(body, { status }));
  });
  const events: string[] = [];
  await readEvents('/stream', new AbortController().signal, {
    onOpen: () => events.push('open'),
    onEvent: ({ event, data, id }) => events.push(`${event} ${id}: ${data}`),
  });
  return { asked, events };
}

test('events are read however their bytes are cut, and asked for with the key of the session', async () => {
  const bytes = new TextEncoder().encode(': here\n\nevent: change\nid: 7\ndata: {"entity":"/etc/ü"}\n\n');
  const whole = await heard([bytes]);
  expect(whole.events).toEqual(['open', 'change 7: {"entity":"/etc/ü"}']);
  expect(whole.asked).toEqual([
    ['/stream', { Accept: 'text/event-stream', 'Steadfast-Session-Key': 'the key' }],
  ]);
  const cut = await heard([...bytes].map((byte) => Uint8Array.of(byte)));
  expect(cut.events).toEqual(whole.events);
});

test('a refusal is told as one', async () => {
  await expect(heard([], 401)).rejects.toMatchObject({ status: 401 });
});

test('a stream of which nothing is heard for long breaks off, and any sign of life is enough', async () => {
  vi.useFakeTimers();
  const opened: ReadableStreamDefaultController<Uint8Array>[] = [];
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) => {
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      opened.push(controller);
      signal.addEventListener('abort', () => controller.error(signal.reason));
    };
    return Promise.resolve(new Response(new ReadableStream({ start })));
  });
  let state = 'goes on';
  const listener = { onOpen: () => undefined, onEvent: () => undefined };
  const end = readEvents('/stream', new AbortController().signal, listener).catch(() => {
    state = 'broke off';
  });
  for (let sign = 0; sign < 3; sign += 1) {
    await vi.advanceTimersByTimeAsync(SILENCE_MILLIS - 1);
    expect(state).toBe('goes on');
    opened[0]?.enqueue(new TextEncoder().encode(': still here\n\n'));
    await vi.advanceTimersByTimeAsync(0);
  }
  await vi.advanceTimersByTimeAsync(SILENCE_MILLIS);
  await end;
  expect(state).toBe('broke off');
});
