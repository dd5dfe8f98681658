import { describe, expect, test } from 'vitest';
import type { Gap } from '../api/types';
import { splitOpenGaps } from './gaps';

const gap = (cause: string, end: string | null = null, machine = 'a'): Gap => ({
  machine,
  scope: '*',
  type: '*',
  start: '2026-11-23T00:00:00Z',
  end,
  cause,
  detail: '',
  provider: 'scan',
});

describe('open gaps', () => {
  test('of a first baseline are apart from those where something is wrong', () => {
    const gaps = [gap('BaselinePending'), gap('Unreadable'), gap('BaselinePending', '2026-11-23T00:01:00Z')];
    expect(splitOpenGaps(2, gaps)).toEqual({ troubles: 1, firstLooks: 1 });
  });

  test('that the list does not explain count as troubles', () => {
    expect(splitOpenGaps(3, [])).toEqual({ troubles: 3, firstLooks: 0 });
    expect(splitOpenGaps(0, [gap('BaselinePending')])).toEqual({ troubles: 0, firstLooks: 0 });
  });

  test('are counted for one machine', () => {
    const gaps = [gap('BaselinePending'), gap('BaselinePending', null, 'b')];
    expect(splitOpenGaps(1, gaps, 'b')).toEqual({ troubles: 0, firstLooks: 1 });
  });
});
