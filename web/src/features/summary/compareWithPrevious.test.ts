import { describe, expect, test } from 'vitest';
import { compareWithPrevious } from './compareWithPrevious';

describe('compared with the period before', () => {
  test('a rise is notable, a fall is not', () => {
    expect(compareWithPrevious(122, 100, 'all')).toEqual({
      text: '▲ 22 % vs previous period',
      isNotable: true,
    });
    expect(compareWithPrevious(50, 100, 'all')).toEqual({
      text: '▼ 50 % vs previous period',
      isNotable: false,
    });
  });

  test('nothing before gives no percentage', () => {
    expect(compareWithPrevious(7, 0, 'all').text).toBe('none in previous period');
  });

  test('no difference has no arrow', () => {
    expect(compareWithPrevious(0, 0, 'all').text).toBe('same as previous period');
  });

  test('what nobody watched is compared with nothing, whatever was counted', () => {
    expect(compareWithPrevious(7, 0, 'nothing')).toEqual({
      text: 'not watched in the previous period',
      isNotable: false,
    });
    expect(compareWithPrevious(7, 3, 'nothing').text).toBe('not watched in the previous period');
  });

  test('a rise over what was watched in part is said to be that, and is not notable', () => {
    expect(compareWithPrevious(200, 100, 'part')).toEqual({
      text: '▲ 100 % vs previous period, which was not all watched',
      isNotable: false,
    });
  });
});
