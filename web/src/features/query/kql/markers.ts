import type { Diagnostic } from '../../../api/types';

/** A mistake as the editor underlines it; lines and columns count from 1. */
export type Mistake = {
  message: string;
  code: string;
  severity: 'error' | 'warning' | 'hint';
  startLineNumber: number;
  startColumn: number;
  endLineNumber: number;
  endColumn: number;
};

/** What the server says of a text; an empty stretch is widened so that it can be seen. */
export function serverMistake(diagnostic: Diagnostic): Mistake {
  const { line, column, endLine, endColumn } = diagnostic;
  return {
    message: mistakeText(diagnostic),
    code: diagnostic.code,
    severity: 'error',
    startLineNumber: line,
    startColumn: column,
    endLineNumber: endLine,
    endColumn: endLine === line ? Math.max(endColumn, column + 1) : endColumn,
  };
}

/** The message with what could stand there and what was probably meant. */
export function mistakeText({ message, expected, suggestion }: Diagnostic): string {
  return [
    message,
    suggestion ? `Did you mean ${suggestion}?` : '',
    expected?.length ? `Expected: ${expected.slice(0, 8).join(', ')}` : '',
  ]
    .filter(Boolean)
    .join('\n');
}

/** The server is right about its own language: where both speak of one line, the service in the page is silent. */
export function mergeMistakes(local: readonly Mistake[], server: readonly Mistake[]): Mistake[] {
  const lines = new Set(server.map(({ startLineNumber }) => startLineNumber));
  return [...server, ...local.filter(({ startLineNumber }) => !lines.has(startLineNumber))];
}
