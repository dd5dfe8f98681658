/**
 * The key of the session, which the server takes with its cookie only. Browsers send a cookie to every port of a host, and
 * so to whoever listens on another one; `sessionStorage` they keep for pages of the same scheme, host and port, and for one
 * tab. The cookie serves every tab: a link to a change that is opened in a new one finds its reader signed in, because the
 * tabs of one scheme, host and port tell each other the key. Nothing of it is left when the last one is closed.
 */
const STORAGE_KEY = 'session-key';
const HEADER = 'Steadfast-Session-Key';

type Word = { kind: 'ask' } | { kind: 'answer' | 'signed-in'; key: string } | { kind: 'forget' };

const tabs = new BroadcastChannel(STORAGE_KEY);
// In Node, for the tests: an open channel keeps no process running.
(tabs as { unref?: () => void }).unref?.();
const waiting = new Set<() => void>();

tabs.onmessage = ({ data }: MessageEvent<Word>) => {
  if (data.kind === 'ask') tell('answer');
  if (data.kind === 'forget') sessionStorage.removeItem(STORAGE_KEY);
  // A tab that has not heard of a new session yet may answer with the key of an old one.
  if (data.kind === 'signed-in' || (data.kind === 'answer' && waiting.size > 0)) {
    sessionStorage.setItem(STORAGE_KEY, data.key);
    for (const proceed of waiting) proceed();
  }
};

function tell(kind: 'answer' | 'signed-in'): void {
  const key = sessionStorage.getItem(STORAGE_KEY);
  if (key !== null) tabs.postMessage({ kind, key } satisfies Word);
}

/** Keeps the key that signing in has given; other tabs have that session, too, from now on. */
export function rememberSessionKey(key: string): void {
  sessionStorage.setItem(STORAGE_KEY, key);
  tell('signed-in');
}

/** Forgets the key of a call that was refused, in this tab, so that it is no answer to others. */
export function dropSessionKey({ headers }: Request): void {
  if (sessionStorage.getItem(STORAGE_KEY) === headers.get(HEADER)) sessionStorage.removeItem(STORAGE_KEY);
}

/** Forgets the key in every tab. */
export function forgetSessionKey(): void {
  sessionStorage.removeItem(STORAGE_KEY);
  tabs.postMessage({ kind: 'forget' } satisfies Word);
}

/** Asks the other tabs for the key, if this one is new. */
export function findSessionKey(): Promise<void> {
  if (sessionStorage.getItem(STORAGE_KEY) !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const proceed = () => {
      clearTimeout(timer);
      waiting.delete(proceed);
      resolve();
    };
    const timer = setTimeout(proceed, MOST_MILLIS);
    waiting.add(proceed);
    tabs.postMessage({ kind: 'ask' } satisfies Word);
  });
}

/** The headers that every call by the session's cookie needs. Read each time: another tab may have signed in anew. */
export function sessionHeaders(): Record<string, string> {
  const key = sessionStorage.getItem(STORAGE_KEY);
  return key === null ? {} : { [HEADER]: key };
}

/** Other tabs answer in a few milliseconds; where there is none, the page begins without. */
const MOST_MILLIS = 250;
