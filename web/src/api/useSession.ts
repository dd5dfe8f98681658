import { useSuspenseQuery } from '@tanstack/react-query';
import { sessionQuery } from './queries';
import type { Session } from './types';

/** Who is signed in. Only for what is inside the shell, whose route has fetched the session before. */
export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data;
}

/** Why the user may not change settings; undefined if they may. The server decides again at every call. */
export function useManageRefusal(): string | undefined {
  const { roles } = useSession();
  return roles.includes('owner') ? undefined : 'You need the owner role for this.';
}
