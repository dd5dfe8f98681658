import { Link } from '@tanstack/react-router';
import { EmptyState } from '../ui/EmptyState';

export function NotFoundPage() {
  return (
    <div className="page">
      <EmptyState page title="There is no such page">
        The link may be old. <Link to="/workspaces">See all workspaces</Link>
      </EmptyState>
    </div>
  );
}
