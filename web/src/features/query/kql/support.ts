import type { KqlSupport } from './protocol';

/** Kinds of completions as the language service numbers them (`CompletionKind`). */
export const KIND = {
  keyword: 1,
  punctuation: 2,
  scalarPrefix: 6,
  queryPrefix: 9,
  scalarInfix: 11,
  renderChart: 12,
  column: 13,
  table: 14,
  builtInFunction: 15,
  localFunction: 16,
  databaseFunction: 17,
  aggregateFunction: 18,
  parameter: 19,
  variable: 20,
  database: 21,
  cluster: 22,
} as const;

/**
 * Whether the server answers what a completion would insert. The language service offers all of KQL, and to be offered
 * something that is then refused is worse than not to be offered it. Without the server's lists everything is let
 * through.
 */
export function isSupported(kind: number, name: string, support: KqlSupport): boolean {
  switch (kind) {
    case KIND.queryPrefix:
      return isListed(name, support.operators);
    case KIND.builtInFunction:
      return isListed(name, support.functions);
    case KIND.aggregateFunction:
      return isListed(name, support.aggregates);
    default:
      return true;
  }
}

function isListed(name: string, list: readonly string[]): boolean {
  return list.length === 0 || list.includes(name);
}

/** The text to insert: the service adds a pipe or a space after it, which would double what is typed next. */
export function insertedText(before: string | null): string {
  return (before ?? '').replace(/\s*\|?\s*$/, '');
}
