import { Link } from '@tanstack/react-router';
import { ErrorState } from '../ui/ErrorState';

type Props = { error: unknown; what: string; onRetry(): void };

/** All that a page of a workspace shows when the workspace cannot be had. */
export function WorkspaceError({ error, what, onRetry }: Props) {
  return (
    <div className="page">
      <ErrorState
        page
        error={error}
        what={what}
        onRetry={onRetry}
        elsewhere={
          <Link to="/workspaces" className="state-link">
            Go to the workspaces
          </Link>
        }
      />
    </div>
  );
}
