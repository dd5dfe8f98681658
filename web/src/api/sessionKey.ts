/**
 * The key of the session, which the server takes with its cookie only. Browsers send a cookie to every port of a host, and
 * so to whoever listens on another one; this they keep for pages of the same scheme, host and port. It is in
 * `localStorage` and not in `sessionStorage` because the cookie, too, serves every tab: a link to a change that is opened
 * in a new one finds its reader signed in.
 */
const STORAGE_KEY = 'session-key';
const HEADER = 'Steadfast-Session-Key';

export function rememberSessionKey(key: string): void {
  localStorage.setItem(STORAGE_KEY, key);
}

export function forgetSessionKey(): void {
  localStorage.removeItem(STORAGE_KEY);
}

/** The headers that every call by the session's cookie needs. Read each time: another tab may have signed in anew. */
export function sessionHeaders(): Record<string, string> {
  const key = localStorage.getItem(STORAGE_KEY);
  return key === null ? {} : { [HEADER]: key };
}
