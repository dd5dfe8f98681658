import { describe, expect, test } from 'vitest';
import { mergeMistakes, mistakeText, serverMistake } from './markers';

const diagnostic = {
  code: 'KQL001',
  message: 'unknown column Foo',
  line: 2,
  column: 9,
  endLine: 2,
  endColumn: 9,
};

describe('mistakes of a query', () => {
  test('an empty stretch can still be seen', () => {
    expect(serverMistake(diagnostic)).toMatchObject({ startColumn: 9, endColumn: 10 });
  });

  test('say what was meant and what is expected', () => {
    const text = mistakeText({ ...diagnostic, suggestion: 'Food', expected: ['a column', '('] });
    expect(text).toBe('unknown column Foo\nDid you mean Food?\nExpected: a column, (');
  });

  test('the server has the last word on a line', () => {
    const server = serverMistake(diagnostic);
    const local = [
      { ...server, message: 'local' },
      { ...server, message: 'elsewhere', startLineNumber: 5, endLineNumber: 5 },
    ];
    expect(mergeMistakes(local, [server]).map(({ message }) => message)).toEqual([
      'unknown column Foo',
      'elsewhere',
    ]);
  });
});
