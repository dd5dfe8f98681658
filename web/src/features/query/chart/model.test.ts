import { describe, expect, test } from 'vitest';
import type { QueryResult } from '../../../api/types';
import { chartModel, MOST_SERIES } from './model';

function answer(columns: [string, string][], rows: unknown[][]): QueryResult {
  return {
    columns: columns.map(([name, type]) => ({ name, type })),
    rows,
    stats: { rows: rows.length, elapsedMs: 1 },
    truncated: false,
  };
}

const NOON = '2026-11-22T12:00:00.0000000Z';
const ONE = '2026-11-22T13:00:00.0000000Z';

describe('the chart of an answer', () => {
  test('has a series for each text beside the moment, in the order of time', () => {
    const result = answer(
      [
        ['ChangeCategory', 'string'],
        ['TimeGenerated', 'datetime'],
        ['count_', 'long'],
      ],
      [
        ['Added', ONE, 2],
        ['Added', NOON, 1],
        ['Removed', NOON, 5],
      ],
    );
    expect(chartModel(result, 'timechart')).toEqual({
      kind: 'timechart',
      axis: 'time',
      series: [
        {
          name: 'Added',
          points: [
            [Date.parse(NOON), 1],
            [Date.parse(ONE), 2],
          ],
        },
        { name: 'Removed', points: [[Date.parse(NOON), 5]] },
      ],
      leftOut: 0,
    });
  });

  test('has its columns in the order of their moments or numbers, however the rows come', () => {
    const moments = answer(
      [
        ['TimeGenerated', 'datetime'],
        ['ChangeCategory', 'string'],
        ['count_', 'long'],
      ],
      [
        [ONE, 'Added', 2],
        [NOON, 'Removed', 5],
        [ONE, 'Removed', 1],
      ],
    );
    const names = chartModel(moments, 'columnchart')?.series.map(({ name }) => name);
    expect(names).toEqual(['Removed', 'Added']);
    const numbers = answer(
      [
        ['Hour', 'long'],
        ['count_', 'long'],
      ],
      [
        [10, 1],
        [9, 2],
      ],
    );
    const points = chartModel(numbers, 'columnchart')?.series[0]?.points;
    expect(points?.map(([position]) => position)).toEqual(['9', '10']);
  });

  test('has a series for each column of numbers', () => {
    const result = answer(
      [
        ['Computer', 'string'],
        ['Files', 'long'],
        ['Sizes', 'real'],
      ],
      [
        ['a', 1, 2.5],
        ['b', 3, null],
      ],
    );
    expect(chartModel(result, 'columnchart')?.series).toEqual([
      {
        name: 'Files',
        points: [
          ['a', 1],
          ['b', 3],
        ],
      },
      { name: 'Sizes', points: [['a', 2.5]] },
    ]);
    expect(chartModel(result, 'piechart')?.series.map(({ name }) => name)).toEqual(['Files']);
  });

  test('is none where there is nothing to draw', () => {
    expect(chartModel(answer([['a', 'string']], [['x']]), 'piechart')).toBeUndefined();
    expect(
      chartModel(
        answer(
          [
            ['a', 'string'],
            ['n', 'long'],
          ],
          [['x', 1]],
        ),
        'timechart',
      ),
    ).toBeUndefined();
    expect(
      chartModel(
        answer(
          [
            ['a', 'string'],
            ['n', 'long'],
          ],
          [],
        ),
        'barchart',
      ),
    ).toBeUndefined();
  });

  test('says how many series it leaves out', () => {
    const rows = Array.from({ length: MOST_SERIES + 3 }, (_, index) => [NOON, `s${index}`, 1]);
    const model = chartModel(
      answer(
        [
          ['t', 'datetime'],
          ['s', 'string'],
          ['n', 'long'],
        ],
        rows,
      ),
      'linechart',
    );
    expect(model?.series.length).toBe(MOST_SERIES);
    expect(model?.leftOut).toBe(3);
  });
});
