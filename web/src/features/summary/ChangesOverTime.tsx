import { lazy, Suspense, useCallback } from 'react';
import type { Summary } from '../../api/types';
import { CATEGORIES, CATEGORY_COLOR } from '../../domain/category';
import type { ColorOf } from '../../ui/Chart';
import { formatCount } from '../../ui/format';
import { absoluteRange, rangeLabel } from '../../ui/timeRange';

const Chart = lazy(() => import('../../ui/Chart'));
const HEIGHT = 170;

type Props = { summary: Summary; range: string; onRange(range: string): void };

/** Changes by time and category; dragging over a part of it zooms there. */
export function ChangesOverTime({ summary, range, onRange }: Props) {
  const { histogram } = summary;
  const build = useCallback((colorOf: ColorOf) => chartOption(histogram, colorOf), [histogram]);
  const onBrush = useCallback((from: number, to: number) => onRange(absoluteRange(from, to)), [onRange]);
  return (
    <section className="card chart-card" aria-labelledby="changes-over-time">
      <h2 id="changes-over-time">
        Changes over time <span className="muted small wide-only">— drag to zoom</span>
      </h2>
      <Suspense fallback={<div style={{ height: HEIGHT }} />}>
        <Chart
          label={`${formatCount(summary.total)} changes over time, ${rangeLabel(range)}, by category`}
          height={HEIGHT}
          build={build}
          onBrush={onBrush}
        />
      </Suspense>
    </section>
  );
}

function chartOption(histogram: Summary['histogram'], colorOf: ColorOf) {
  return {
    xAxis: { type: 'time', min: histogram[0]?.t },
    yAxis: { type: 'value', minInterval: 1, splitNumber: 3 },
    brush: {
      toolbox: [],
      xAxisIndex: 0,
      brushStyle: { color: 'rgba(15,108,189,.15)', borderColor: colorOf('--colorBrandStroke1') },
    },
    toolbox: { show: false },
    series: CATEGORIES.map((category, index) => ({
      name: category,
      type: 'bar',
      stack: 'changes',
      barWidth: '72%',
      barMaxWidth: 28,
      itemStyle: {
        color: colorOf(CATEGORY_COLOR[category]),
        borderRadius: index === CATEGORIES.length - 1 ? [2, 2, 0, 0] : 0,
      },
      data: histogram.map((step) => [step.t, step[category]]),
    })),
  };
}
