import { expect, test } from 'vitest';
import { renderingOf } from './render';

test('the last operator names the chart', () => {
  expect(renderingOf('T | summarize count() by bin(Time, 1h)\n| render timechart')).toEqual({
    kind: 'timechart',
  });
  expect(renderingOf('T | render PieChart with (title="x")')).toEqual({ kind: 'piechart' });
  expect(renderingOf('T | render treemap')).toEqual({ unknown: 'treemap' });
});

test('no chart is asked for without the operator', () => {
  expect(renderingOf('T | take 5')).toBeUndefined();
  expect(renderingOf('T | render table')).toBeUndefined();
  expect(renderingOf('T // | render piechart')).toBeUndefined();
  expect(
    renderingOf(String.raw`T | where a == "\" | render piechart" and b == @'\' // '' | render x'`),
  ).toBeUndefined();
});
