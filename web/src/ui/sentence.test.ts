import { describe, expect, test } from 'vitest';
import { sentencePieces } from './sentence';

/** Code between backticks again, so that a case is one line. */
function written(message: string): string {
  return sentencePieces(message)
    .map(({ text, isCode }) => (isCode ? `<${text}>` : text))
    .join('');
}

describe('a message of the server', () => {
  test('begins with a capital and ends with a full stop', () => {
    expect(written('the sign-in link has been used')).toBe('The sign-in link has been used.');
    expect(written('Sign in first.')).toBe('Sign in first.');
    expect(written('is it there?')).toBe('Is it there?');
  });

  test('has what a person would type as code', () => {
    expect(written('there is no workspace "nope"; `steadfast workspace list` shows the workspaces')).toBe(
      'There is no workspace "nope"; <steadfast workspace list> shows the workspaces.',
    );
    expect(written('run `steadfast up`')).toBe('Run <steadfast up>.');
  });

  test('leaves names as they are spelled', () => {
    expect(written('expiresInSeconds is 0')).toBe('expiresInSeconds is 0.');
    expect(written('/etc/a is not there')).toBe('/etc/a is not there.');
  });

  test('loses nothing, whatever it holds', () => {
    expect(written('a ` alone')).toBe('A ` alone.');
    expect(written('')).toBe('');
  });
});
