import type { Diagnostic, ProblemBody } from './types';

/** What the server answered instead of what was asked for (RFC 9457), or status 0 when it could not be reached. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly requestId: string | undefined;
  readonly diagnostics: Diagnostic[];

  constructor(status: number, title: string, body?: Partial<ProblemBody>) {
    super(body?.detail ?? title);
    this.name = 'Problem';
    this.status = status;
    this.title = title;
    this.requestId = body?.requestId ?? undefined;
    this.diagnostics = body?.diagnostics ?? [];
  }

  static fromResponse(response: Response, body: unknown): Problem {
    const problem = isProblemBody(body) ? body : undefined;
    const title = problem?.title ?? (response.statusText || `The server answered ${response.status}`);
    return new Problem(response.status, title, problem);
  }

  static unreachable(cause: unknown): Problem {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new Problem(0, 'The server cannot be reached', {
      detail: `The server cannot be reached (${reason}). Check that it runs and that you are on its network.`,
    });
  }
}

/** True for an answer that another attempt may turn into a good one. */
export function isTransient(error: unknown): boolean {
  return error instanceof Problem && (error.status === 0 || error.status >= 500 || error.status === 429);
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof Problem && error.status === 401;
}

/** A sentence for a person, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isProblemBody(body: unknown): body is Partial<ProblemBody> {
  return typeof body === 'object' && body !== null && ('title' in body || 'detail' in body);
}
