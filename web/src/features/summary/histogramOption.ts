import type { CustomSeriesRenderItem } from 'echarts';
import type { Gap, Summary } from '../../api/types';
import { CATEGORIES, CATEGORY_COLOR } from '../../domain/category';
import type { ColorOf } from '../../ui/Chart';
import { formatCount, formatStretch } from '../../ui/format';
import { hatchPath } from './hatch';
import { partsNotWatched, type Unwatched, unwatchedStretches } from './unwatched';

/** How far the lines of a hatch are from each other, in pixels. */
const SPACING = { nothing: 6, part: 12 };

/** How high the line is that marks that single places were not watched, in pixels. */
const PLACES_HEIGHT = 3;

/** Bars in the middle of their steps, over hatches from step to step. */
export function chartOption(summary: Summary, gaps: readonly Gap[], colorOf: ColorOf) {
  const { histogram } = summary;
  const stepMillis = summary.stepSeconds * 1000;
  const starts = histogram.map(({ t }) => Date.parse(t));
  const end = (starts.at(-1) ?? 0) + stepMillis;
  return {
    xAxis: { type: 'time', min: starts[0], max: end },
    yAxis: { type: 'value', minInterval: 1, splitNumber: 3 },
    tooltip: {
      formatter: (items: unknown) => stepInWords(summary, gaps, placeOf(items)),
    },
    brush: {
      toolbox: [],
      xAxisIndex: 0,
      // Not the hatches, which a brush leaves as they are.
      seriesIndex: CATEGORIES.map((_, index) => index + 1),
      brushStyle: { color: 'rgba(15,108,189,.15)', borderColor: colorOf('--colorBrandStroke1') },
    },
    toolbox: { show: false },
    legend: { data: [...CATEGORIES] },
    series: [
      {
        name: 'Not watched',
        type: 'custom',
        silent: true,
        z: 1,
        // Without it what is drawn has no level after a brush, which the library complains of.
        zlevel: 0,
        tooltip: { show: false },
        renderItem: drawHatch(unwatchedStretches(summary), starts[0] ?? 0, end, colorOf),
        data: unwatchedStretches(summary).map(({ from, to }) => [from, to, 0]),
        encode: { x: [0, 1], y: 2 },
      },
      ...CATEGORIES.map((category, index) => ({
        name: category,
        type: 'bar',
        stack: 'changes',
        barWidth: '72%',
        barMaxWidth: 28,
        itemStyle: {
          color: colorOf(CATEGORY_COLOR[category]),
          borderRadius: index === CATEGORIES.length - 1 ? [2, 2, 0, 0] : 0,
        },
        data: histogram.map((step, place) => [(starts[place] ?? 0) + stepMillis / 2, step[category]]),
      })),
    ],
  };
}

/** What a step holds, line by line: when it was, what changed, and whether anybody was looking. */
export function stepInWords(
  { histogram, stepSeconds }: Summary,
  gaps: readonly Gap[],
  place: number | undefined,
): string {
  const step = place === undefined ? undefined : histogram[place];
  if (!step) return '';
  const from = Date.parse(step.t);
  const to = from + stepSeconds * 1000;
  const end = new Date(to).toISOString();
  const counts = CATEGORIES.filter((category) => step[category] > 0).map(
    (category) => `${category}: ${formatCount(step[category])}`,
  );
  const what = partsNotWatched(gaps, from, to);
  const watched = {
    all: [],
    most: ['Not watched:', ...what],
    part: ['Not all was watched:', ...what],
    nothing: ['Not watched'],
  }[step.watched ?? 'all'];
  const none = step.watched === 'all' || step.watched === 'most' ? ['No changes'] : [];
  return [formatStretch(step.t, end), ...(counts.length > 0 ? counts : none), ...watched].join('\n');
}

/** The step that a tip is of: every bar of a step has the same place. */
function placeOf(items: unknown): number | undefined {
  const list: readonly unknown[] = Array.isArray(items) ? items : [items];
  const bar = list.find(
    (item) => typeof item === 'object' && item !== null && Reflect.get(item, 'seriesType') === 'bar',
  );
  const place: unknown = bar ? Reflect.get(bar as object, 'dataIndex') : undefined;
  return typeof place === 'number' ? place : undefined;
}

/** Hatches of the time between `first` and `last`, which reach over the room that the axis leaves at both ends. */
function drawHatch(
  stretches: readonly Unwatched[],
  first: number,
  last: number,
  colorOf: ColorOf,
): CustomSeriesRenderItem {
  const line = colorOf('--c-hatch');
  const ground = colorOf('--c-unwatched');
  return ({ dataIndex, coordSys }, api) => {
    const stretch = stretches[dataIndex];
    if (!stretch) return null;
    // The library types the coordinate system by no more than its name; that of an axis has these.
    const { x, y, width, height } = coordSys as unknown as {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    const at = (moment: number) => Math.max(x, Math.min(x + width, api.coord([moment, 0])[0] ?? x));
    const left = stretch.from <= first ? x : at(stretch.from);
    const right = stretch.to >= last ? x + width : at(stretch.to);
    const shape = { x: left, y, width: right - left, height };
    if (stretch.watched === 'most') {
      const line = { ...shape, y: y + height - PLACES_HEIGHT, height: PLACES_HEIGHT };
      return { type: 'rect', shape: line, style: { fill: colorOf('--c-late'), opacity: 0.9 } };
    }
    return {
      type: 'group',
      children: [
        ...(stretch.watched === 'nothing' ? [{ type: 'rect' as const, shape, style: { fill: ground } }] : []),
        {
          type: 'path' as const,
          shape: { pathData: hatchPath(shape, SPACING[stretch.watched]) },
          style: { stroke: line, lineWidth: 1, fill: 'none' },
        },
      ],
    };
  };
}
