import { expect, test } from 'vitest';
import type { Gap, Summary, Watched } from '../../api/types';
import { stepInWords } from './histogramOption';

function summaryOf(Modified: number, watched: Watched | null): Summary {
  const step = { t: '2026-11-22T12:00:00', Modified, Added: 0, Removed: 0, watched };
  return {
    machines: 1,
    machinesReporting: 1,
    total: Modified,
    previousTotal: 0,
    previousWatched: 'all',
    byType: {},
    byCategory: {},
    histogram: [step],
    stepSeconds: 60,
    openGaps: 0,
  };
}

const GAP: Gap = {
  machine: 'a',
  scope: '/etc/shadow',
  type: 'Files',
  start: '2026-11-22T11:00:00',
  end: null,
  cause: 'Unreadable',
  detail: '',
  provider: 'scan',
};

test('a step of the chart tells what changed and whether anybody was looking', () => {
  const [, ...changed] = stepInWords(summaryOf(1200, 'part'), [GAP], 0).split('\n');
  expect(changed).toEqual(['Modified: 1,200', 'Not all was watched:', '/etc/shadow on a']);
});

test('a step says that nothing changed only where all of it was watched, but for what it names', () => {
  const said = (watched: Watched | null) => stepInWords(summaryOf(0, watched), [GAP], 0).split('\n').slice(1);
  expect(said('all')).toEqual(['No changes']);
  expect(said('nothing')).toEqual(['Not watched']);
  expect(said('part')).toEqual(['Not all was watched:', '/etc/shadow on a']);
  expect(said('most')).toEqual(['No changes', 'Not watched:', '/etc/shadow on a']);
  expect(said(null)).toEqual([]);
});
