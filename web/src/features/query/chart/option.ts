import { CATEGORY_COLOR, CHANGE_TYPES, isCategory, isChangeType, TYPE_COLOR } from '../../../domain/category';
import type { ColorOf } from '../../../ui/Chart';
import type { ChartModel, Series } from './model';

/** Colours in which neighbours differ also to those who do not see red and green apart. */
const PALETTE = ['--c-modified', '--c-software', '--c-registry', '--c-services', '--c-added', '--c-removed'];

/** The chart for the drawing library. */
export function chartOption(model: ChartModel, colorOf: ColorOf) {
  return model.kind === 'piechart' ? pieOption(model, colorOf) : axesOption(model, colorOf);
}

function pieOption({ series }: ChartModel, colorOf: ColorOf) {
  const points = series.flatMap((one) => one.points);
  return {
    tooltip: { trigger: 'item' },
    series: [
      {
        type: 'pie',
        radius: ['42%', '74%'],
        center: ['50%', '56%'],
        label: { color: colorOf('--colorNeutralForeground1'), formatter: '{b}: {c} ({d} %)' },
        itemStyle: { borderColor: colorOf('--colorNeutralBackground1'), borderWidth: 2 },
        data: points.map(([name, value], index) => ({
          name: String(name),
          value,
          itemStyle: { color: colorOf(colorOfName(String(name), index)) },
        })),
      },
    ],
  };
}

function axesOption({ kind, axis, series }: ChartModel, colorOf: ColorOf) {
  const isBar = kind === 'barchart' || kind === 'columnchart';
  const positions =
    axis === 'category' ? { data: [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))] } : {};
  const along = { type: axis, ...positions };
  const across = { type: 'value', splitNumber: 4 };
  const drawn = series.map((one, index) =>
    isBar ? bars(one, index, kind, colorOf) : line(one, index, colorOf),
  );
  return kind === 'barchart'
    ? { xAxis: across, yAxis: { ...along, inverse: true }, series: drawn }
    : { xAxis: along, yAxis: across, series: drawn };
}

function line({ name, points }: Series, index: number, colorOf: ColorOf) {
  const color = colorOf(colorOfName(name, index));
  return {
    name,
    type: 'line',
    symbolSize: 6,
    // A line of one point is nothing but the point.
    showSymbol: points.length < 3,
    sampling: 'lttb',
    itemStyle: { color },
    lineStyle: { color, width: 2 },
    areaStyle: { color, opacity: 0.08 },
    data: points,
  };
}

function bars({ name, points }: Series, index: number, kind: ChartModel['kind'], colorOf: ColorOf) {
  const isLying = kind === 'barchart';
  return {
    name,
    type: 'bar',
    stack: 'all',
    barMaxWidth: 36,
    itemStyle: { color: colorOf(colorOfName(name, index)) },
    data: isLying ? points.map(([x, value]) => [value, x]) : points,
  };
}

/** Words that have a colour everywhere else have it here too. */
function colorOfName(name: string, index: number): string {
  if (isCategory(name)) return CATEGORY_COLOR[name];
  if (isChangeType(name) && CHANGE_TYPES.includes(name)) return TYPE_COLOR[name];
  return PALETTE[index % PALETTE.length] ?? '--c-modified';
}
