import { describe, expect, test } from 'vitest';
import { compareWithPrevious } from './compareWithPrevious';

describe('compared with the period before', () => {
  test('a rise is notable, a fall is not', () => {
    expect(compareWithPrevious(122, 100)).toEqual({ text: '▲ 22 % vs previous period', isNotable: true });
    expect(compareWithPrevious(50, 100)).toEqual({ text: '▼ 50 % vs previous period', isNotable: false });
  });

  test('nothing before gives no percentage', () => {
    expect(compareWithPrevious(7, 0).text).toBe('none in previous period');
  });

  test('no difference has no arrow', () => {
    expect(compareWithPrevious(0, 0).text).toBe('same as previous period');
  });
});
