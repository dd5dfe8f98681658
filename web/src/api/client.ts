import createClient, { type Middleware } from 'openapi-fetch';
import { learnServerClock } from './clock';
import { Problem } from './problem';
import type { paths } from './schema';
import { dropSessionKey, sessionHeaders } from './sessionKey';

const session: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(sessionHeaders())) request.headers.set(name, value);
    return request;
  },
  onResponse({ request, response }) {
    // What signing in is refused with says nothing of a session.
    if (response.status === 401 && request.method === 'GET') dropSessionKey(request);
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
