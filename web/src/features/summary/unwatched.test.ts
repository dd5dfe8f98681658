import { describe, expect, test } from 'vitest';
import type { Watched } from '../../api/types';
import { isAllWatched, unwatchedInWords, unwatchedStretches } from './unwatched';

const STEP = 60_000;

/** A summary of minutes, each watched as it is said. */
function minutes(...watched: (Watched | null)[]) {
  const histogram = watched.map((one, index) => ({
    t: new Date(index * STEP).toISOString(),
    Modified: 0,
    Added: 0,
    Removed: 0,
    watched: one,
  }));
  return { histogram, stepSeconds: 60 };
}

describe('time that was not watched', () => {
  test('is drawn from step to step, neighbours as one', () => {
    expect(unwatchedStretches(minutes('nothing', 'nothing', 'part', 'all', 'part'))).toEqual([
      { from: 0, to: 2 * STEP, watched: 'nothing' },
      { from: 2 * STEP, to: 3 * STEP, watched: 'part' },
      { from: 4 * STEP, to: 5 * STEP, watched: 'part' },
    ]);
  });

  test('is neither what was watched nor what has not come', () => {
    expect(unwatchedStretches(minutes('all', 'all', null))).toEqual([]);
    expect(isAllWatched(minutes('all', null))).toBe(true);
    expect(isAllWatched(minutes('all', 'part'))).toBe(false);
    expect(isAllWatched(minutes('nothing'))).toBe(false);
  });

  test('is told in words', () => {
    expect(unwatchedInWords(minutes('all'))).toBe('');
    expect(unwatchedInWords(minutes('nothing', 'nothing', 'part', 'all'))).toBe(
      'nothing was watched in 2 of 4 steps, not all was watched in 1 of 4 steps',
    );
  });
});
