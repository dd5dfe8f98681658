import { expect, test } from 'vitest';
import { encodeTokens, TOKEN_NAMES } from './tokens';

/** Positions in a text of lines of ten characters. */
const positionAt = (offset: number) => ({
  lineNumber: Math.floor(offset / 10) + 1,
  column: (offset % 10) + 1,
});
const [comment, column, table] = [1, 7, 8];

test('tokens are distances from the one before', () => {
  const data = encodeTokens(
    [
      [0, 4, table],
      [5, 2, column],
      [23, 3, comment],
    ],
    positionAt,
  );
  const index = (name: string) => TOKEN_NAMES.indexOf(name);
  expect([...data]).toEqual([
    ...[0, 0, 4, index('table'), 0],
    ...[0, 5, 2, index('column'), 0],
    ...[2, 3, 3, index('comment'), 0],
  ]);
});

test('plain text, unknown kinds and tokens over two lines are left to the simple colours', () => {
  expect(
    encodeTokens(
      [
        [0, 4, 0],
        [0, 4, 999],
        [8, 6, column],
      ],
      positionAt,
    ),
  ).toHaveLength(0);
});
