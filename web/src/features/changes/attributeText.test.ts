import { expect, test } from 'vitest';
import { attributeText } from './attributeText';

test('a size has a unit, to the byte', () => {
  expect(attributeText('Size', '3287')).toBe('3,287 B');
});

test('a moment keeps the digits that tell it from another', () => {
  expect(attributeText('Modified', '2026-11-22T14:53:22.9041230Z')).toMatch(/:22\.904123$/);
});

test('all else stays as it is', () => {
  for (const value of ['0644', 'root(0)', '/a -> b', '2026'])
    expect(attributeText('Target', value)).toBe(value);
});
