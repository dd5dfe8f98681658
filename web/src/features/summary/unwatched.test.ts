import { describe, expect, test } from 'vitest';
import type { Gap, Watched } from '../../api/types';
import { isAllWatched, partsNotWatched, unwatchedInWords, unwatchedStretches } from './unwatched';

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
    expect(isAllWatched(minutes('most'))).toBe(false);
  });

  test('is told in words', () => {
    expect(unwatchedInWords(minutes('all'))).toBe('');
    expect(unwatchedInWords(minutes('most', 'all'))).toBe('single places were not watched in 1 of 2 steps');
    expect(unwatchedInWords(minutes('nothing', 'nothing', 'part', 'all'))).toBe(
      'nothing was watched in 2 of 4 steps, not all was watched in 1 of 4 steps',
    );
  });

  test('is named by what and where, and of many only the first', () => {
    const gap = (scope: string, start: number, end: number | null, type = 'Files'): Gap => ({
      machine: 'a',
      scope,
      type,
      start: new Date(start).toISOString(),
      end: end === null ? null : new Date(end).toISOString(),
      cause: 'Unreadable',
      detail: '',
      provider: 'scan',
    });
    const gaps = [gap('/x', 0, null), gap('/y', 0, 10), gap('*', 30, 40, 'Daemons'), gap('/x', 0, 20)];
    expect(partsNotWatched(gaps, 10, 20)).toEqual(['/x on a', '/y on a']);
    expect(partsNotWatched(gaps, 11, 30)).toEqual(['/x on a']);
    expect(partsNotWatched(gaps, 30, 31)).toEqual(['/x on a', 'All daemons on a']);
    const many = ['/1', '/2', '/3', '/4', '/5'].map((scope) => gap(scope, 0, null));
    expect(partsNotWatched(many, 0, 1)).toEqual(['/1 on a', '/2 on a', '/3 on a', 'and 2 more']);
  });
});
