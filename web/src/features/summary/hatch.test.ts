import { expect, test } from 'vitest';
import { hatchPath } from './hatch';

/** The ends of each line of a path. */
function ends(path: string): number[][] {
  return [...path.matchAll(/M([\d.-]+) ([\d.-]+)L([\d.-]+) ([\d.-]+)/g)].map(([, ...numbers]) =>
    numbers.map(Number),
  );
}

test('a hatch stays within its rectangle and fills it', () => {
  const lines = ends(hatchPath({ x: 10, y: 20, width: 50, height: 30 }, 8));
  expect(lines).toHaveLength(10);
  for (const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] of lines) {
    for (const x of [x1, x2]) expect(x >= 10 && x <= 60).toBe(true);
    for (const y of [y1, y2]) expect(y >= 20 && y <= 50).toBe(true);
    expect(x1 + y1).toBeCloseTo(x2 + y2);
  }
});

test('the hatches of neighbours meet', () => {
  const sums = (path: string) => ends(path).map(([x = 0, y = 0]) => (x + y) % 8);
  expect(new Set([...sums(hatchPath({ x: 3, y: 0, width: 9, height: 20 }, 8))])).toEqual(new Set([0]));
});

test('what has no width has no hatch', () => {
  expect(hatchPath({ x: 0, y: 0, width: 0, height: 10 }, 8)).toBe('');
});
