import { Button } from '@fluentui/react-components';
import { ErrorCircle24Regular, LockClosed24Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { messageOf, Problem } from '../api/problem';
import { Sentence } from './Sentence';

type Props = {
  error: unknown;
  /** What could not be had, as in “Could not load the changes”. */
  what: string;
  onRetry?(): void;
  /** Where to go when another attempt would end the same. */
  elsewhere?: ReactNode;
  /** True when this is all that the page shows. */
  page?: boolean;
};

/** What went wrong in the server's words, and the way out. A refusal and what is not there last: no retry there. */
export function ErrorState({ error, what, onRetry, elsewhere, page }: Props) {
  const Heading = page ? 'h1' : 'h2';
  const status = error instanceof Problem ? error.status : undefined;
  const requestId = error instanceof Problem ? error.requestId : undefined;
  const forbidden = status === 403;
  const isLasting = forbidden || status === 404;
  return (
    <div className="state" role="alert">
      {forbidden ? <LockClosed24Regular aria-hidden /> : <ErrorCircle24Regular aria-hidden />}
      <Heading>{headline(status, what)}</Heading>
      <p>
        <Sentence>{messageOf(error)}</Sentence>
      </p>
      {isLasting ? elsewhere : onRetry && <Button onClick={onRetry}>Try again</Button>}
      {requestId && (
        <p className="muted small">
          Request <code>{requestId}</code>
        </p>
      )}
    </div>
  );
}

function headline(status: number | undefined, what: string): string {
  if (status === 403) return 'You don’t have access';
  if (status === 404) return 'Not found';
  return `Could not load ${what}`;
}
