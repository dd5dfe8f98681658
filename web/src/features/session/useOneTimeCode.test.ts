import { expect, test } from 'vitest';
import { codeOf } from './useOneTimeCode';

test.each([
  ['#code=ABC-123', 'ABC-123'],
  ['#code=', undefined],
  ['#top', undefined],
  ['', undefined],
])('the code in the fragment "%s" is %s', (hash, code) => {
  expect(codeOf(hash)).toBe(code);
});
