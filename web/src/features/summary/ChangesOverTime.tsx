import { lazy, Suspense, useCallback } from 'react';
import type { Gap, Summary } from '../../api/types';
import type { ColorOf } from '../../ui/Chart';
import { formatCount } from '../../ui/format';
import { absoluteRange, rangeLabel } from '../../ui/timeRange';
import { chartOption } from './histogramOption';
import { unwatchedInWords, unwatchedStretches } from './unwatched';

const Chart = lazy(() => import('../../ui/Chart'));
const HEIGHT = 170;

type Props = { summary: Summary; gaps: readonly Gap[]; range: string; onRange(range: string): void };

/** Changes by time and category, and when nobody was looking; dragging over a part of it zooms there. */
export function ChangesOverTime({ summary, gaps, range, onRange }: Props) {
  const build = useCallback((colorOf: ColorOf) => chartOption(summary, gaps, colorOf), [summary, gaps]);
  const onBrush = useCallback((from: number, to: number) => onRange(absoluteRange(from, to)), [onRange]);
  const unwatched = unwatchedInWords(summary);
  return (
    <section className="card chart-card" aria-labelledby="changes-over-time">
      <div className="chart-head">
        <h2 id="changes-over-time">
          Changes over time <span className="muted small wide-only">— drag to zoom</span>
        </h2>
        <UnwatchedLegend summary={summary} />
      </div>
      <Suspense fallback={<div style={{ height: HEIGHT }} />}>
        <Chart
          label={[
            `${formatCount(summary.total)} changes over time, ${rangeLabel(range)}, by category`,
            unwatched,
          ]
            .filter(Boolean)
            .join('; ')}
          height={HEIGHT}
          build={build}
          onBrush={onBrush}
        />
      </Suspense>
    </section>
  );
}

/** What the hatches mean, of those that are drawn. */
function UnwatchedLegend({ summary }: { summary: Summary }) {
  const kinds = new Set(unwatchedStretches(summary).map(({ watched }) => watched));
  if (kinds.size === 0) return null;
  return (
    <ul className="hatch-legend">
      {kinds.has('nothing') && (
        <li title="No machine was enrolled, monitoring was off, or each machine had a gap of everything.">
          <i className="hatch nothing" aria-hidden="true" />
          Not watched
        </li>
      )}
      {kinds.has('part') && (
        <li title="A machine, or a list of one, was not watched for a part of the time: see the tab Coverage.">
          <i className="hatch part" aria-hidden="true" />
          Not all watched
        </li>
      )}
      {kinds.has('most') && (
        <li title="Nothing but single places was not watched: see the tab Coverage.">
          <i className="hatch most" aria-hidden="true" />
          Single places not watched
        </li>
      )}
    </ul>
  );
}
