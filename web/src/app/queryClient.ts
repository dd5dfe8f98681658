import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isSignedOut, isTransient } from '../api/problem';
import { keys } from '../api/queries';

const RETRIES = 2;
const FRESH_MILLIS = 10_000;

/** The cache of all that the server said. `onSignedOut` is called when a call finds the session gone. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const noticeSignedOut = (error: unknown) => {
    if (isSignedOut(error)) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({
      // Whether there is a session is a question; only the routes decide what follows from the answer.
      onError: (error, query) => query.queryKey[0] !== keys.session[0] && noticeSignedOut(error),
    }),
    mutationCache: new MutationCache({
      onError: (error, _variables, _context, mutation) => {
        if (mutation.options.mutationKey?.[0] !== 'sign-in') noticeSignedOut(error);
      },
    }),
    defaultOptions: {
      queries: { staleTime: FRESH_MILLIS, retry: (count, error) => count < RETRIES && isTransient(error) },
    },
  });
}
