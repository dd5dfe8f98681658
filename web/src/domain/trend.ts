import type { TrendStep } from '../api/types';
import type { SparkValue } from '../ui/Sparkline';

/** What a trend draws: a step that nobody watched has no value, unless changes of it were found later. */
export function trendValues(trend: readonly TrendStep[]): SparkValue[] {
  return trend.map(({ changes, watched }) => (watched === 'nothing' && changes === 0 ? null : changes));
}

/** The same for who cannot see it. */
export function trendInWords(trend: readonly TrendStep[]): string {
  return trendValues(trend)
    .map((value) => value ?? 'not watched')
    .join(', ');
}
