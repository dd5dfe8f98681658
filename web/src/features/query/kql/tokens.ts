import type { KqlToken } from './protocol';

/** The name of each kind of the language service's `ClassificationKind`, by its number. */
const BY_KIND = [
  'plain',
  'comment',
  'punctuation',
  'directive',
  'literal',
  'string',
  'type',
  'column',
  'table',
  'database',
  'function',
  'parameter',
  'variable',
  'identifier',
  'parameter',
  'parameter',
  'scalarOperator',
  'mathOperator',
  'queryOperator',
  'command',
  'keyword',
  'table',
  'column',
  'parameter',
  'option',
];

export const TOKEN_NAMES: readonly string[] = [...new Set(BY_KIND)];

type Position = { lineNumber: number; column: number };

/**
 * Tokens in the editor's form: five numbers each, line and column as the distance from the token before. Tokens that
 * span lines cannot be said in it and are left out; the simple colours stay there.
 */
export function encodeTokens(
  tokens: readonly KqlToken[],
  positionAt: (offset: number) => Position,
): Uint32Array {
  const data: number[] = [];
  let previous = { line: 0, column: 0 };
  for (const [start, length, kind] of tokens) {
    const name = BY_KIND[kind];
    if (kind === 0 || name === undefined) continue;
    const [from, to] = [positionAt(start), positionAt(start + length)];
    if (from.lineNumber !== to.lineNumber) continue;
    const here = { line: from.lineNumber - 1, column: from.column - 1 };
    const lines = here.line - previous.line;
    const columns = lines === 0 ? here.column - previous.column : here.column;
    data.push(lines, columns, length, TOKEN_NAMES.indexOf(name), 0);
    previous = here;
  }
  return new Uint32Array(data);
}
