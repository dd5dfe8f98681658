import { useCallback } from 'react';
import Chart, { type ColorOf } from '../../../ui/Chart';
import { formatQuantity } from '../../../ui/format';
import type { ChartModel } from './model';
import { chartOption } from './option';

/** An answer drawn as its query asks. */
export default function ResultChart({ model }: { model: ChartModel }) {
  const build = useCallback((colorOf: ColorOf) => chartOption(model, colorOf), [model]);
  return (
    <div className="result-chart">
      {model.leftOut > 0 && (
        <p className="muted small">
          {formatQuantity(model.leftOut, 'series', 'series')} more than can be told apart: see the rows.
        </p>
      )}
      <Chart
        label={`${model.kind} of ${model.series.map(({ name }) => name).join(', ')}`}
        height="100%"
        build={build}
      />
    </div>
  );
}
