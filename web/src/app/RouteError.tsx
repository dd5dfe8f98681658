import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { ErrorState } from '../ui/ErrorState';

/** Shown when a page could not even start, as when the server does not answer. */
export function RouteError({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="page">
      <ErrorState page error={error} what="this page" onRetry={() => void router.invalidate()} />
    </main>
  );
}
