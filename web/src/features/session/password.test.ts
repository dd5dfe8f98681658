import { describe, expect, test } from 'vitest';
import { passwordMistake, repeatMistake } from './password';

describe('a new password', () => {
  test('has ten characters at least', () => {
    expect(passwordMistake('ninechars')).toMatch(/at least 10/);
    expect(passwordMistake('ten chars!')).toBeUndefined();
  });

  test('counts characters, not bytes', () => {
    expect(passwordMistake('🔒🔒🔒🔒🔒')).toMatch(/at least 10/);
  });

  test('is typed twice', () => {
    expect(repeatMistake('a long sentence', 'a long sentense')).toMatch(/differ/);
    expect(repeatMistake('short', 'short')).toBeUndefined();
    expect(repeatMistake('a long sentence', '')).toMatch(/once more/);
  });

  test('is asked for where there is none', () => {
    expect(passwordMistake('')).toBe('Type a password of at least 10 characters.');
  });
});
