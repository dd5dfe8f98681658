import { expect, test } from 'vitest';
import { blockAround } from './block';

const lines = ['Heartbeat', '| take 1', '', 'ConfigurationChange', '| count'];

test.each([
  [1, 1, 2],
  [2, 1, 2],
  [4, 4, 5],
  [5, 4, 5],
])('line %i belongs to the query of lines %i to %i', (line, first, last) => {
  expect(blockAround(lines, line)).toEqual({ first, last });
});
