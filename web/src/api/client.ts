import createClient, { type Middleware } from 'openapi-fetch';
import { learnServerClock } from './clock';
import { Problem } from './problem';
import type { paths } from './schema';

const CSRF_HEADER = 'X-CSRF-Token';
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Kept in memory only: it comes with the session and is worthless without the cookie. */
let csrfToken = '';

export function rememberCsrfToken(token: string): void {
  csrfToken = token;
}

/** The headers that a state-changing call by cookie needs. */
export function csrfHeaders(): Record<string, string> {
  return csrfToken ? { [CSRF_HEADER]: csrfToken } : {};
}

const session: Middleware = {
  onRequest({ request }) {
    if (!SAFE_METHODS.has(request.method) && csrfToken) request.headers.set(CSRF_HEADER, csrfToken);
    return request;
  },
  onResponse({ response }) {
    learnServerClock(response.headers.get('date'));
    return undefined;
  },
  onError({ error }) {
    return isAbort(error) ? undefined : Problem.unreachable(error);
  },
};

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '' });
api.use(session);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of a good answer; anything else is thrown as a `Problem`, so that the query cache sees an error. */
export async function ok<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (error !== undefined || !response.ok || data === undefined) throw Problem.fromResponse(response, error);
  return data;
}

/** Waits for a good answer that carries no data. */
export async function done(answer: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await answer;
  if (!response.ok) throw Problem.fromResponse(response, error);
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
