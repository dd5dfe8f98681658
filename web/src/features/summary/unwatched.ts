import type { Gap, Summary, Watched } from '../../api/types';
import { machineInWords, scopeInWords } from '../../domain/gaps';

/** A stretch of time of which not all was watched; both ends in milliseconds since the epoch. */
export type Unwatched = { from: number; to: number; watched: Exclude<Watched, 'all'> };

type Timed = Pick<Summary, 'histogram' | 'stepSeconds'>;

/** The stretches of the histogram in which a count of nought does not mean that nothing changed; neighbours are one. */
export function unwatchedStretches({ histogram, stepSeconds }: Timed): Unwatched[] {
  const stretches: Unwatched[] = [];
  for (const { t, watched } of histogram) {
    if (watched === null || watched === undefined || watched === 'all') continue;
    const from = Date.parse(t);
    const to = from + stepSeconds * 1000;
    const last = stretches.at(-1);
    if (last?.to === from && last.watched === watched) last.to = to;
    else stretches.push({ from, to, watched });
  }
  return stretches;
}

/** True if all of the period was watched, as far as it has come. */
export function isAllWatched({ histogram }: Pick<Summary, 'histogram'>): boolean {
  return histogram.every(({ watched }) => (watched ?? 'all') === 'all');
}

/** What of the histogram was not watched, for who cannot see it; empty if all was. */
export function unwatchedInWords({ histogram }: Pick<Summary, 'histogram'>): string {
  const count = (kind: Watched) => histogram.filter(({ watched }) => watched === kind).length;
  const [nothing, part, most] = [count('nothing'), count('part'), count('most')];
  return [
    nothing > 0 ? `nothing was watched in ${nothing} of ${histogram.length} steps` : '',
    part > 0 ? `not all was watched in ${part} of ${histogram.length} steps` : '',
    most > 0 ? `single places were not watched in ${most} of ${histogram.length} steps` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** How many are named. */
const MOST_NAMED = 3;

/** What was not watched in a stretch of time, in milliseconds, each on its machine; of many only how many more. */
export function partsNotWatched(gaps: readonly Gap[], from: number, to: number): string[] {
  const parts = new Set(
    gaps
      .filter(({ start, end }) => Date.parse(start) < to && (end === null || Date.parse(end) >= from))
      .map(({ scope, type, machine }) => `${scopeInWords(scope, type)} on ${machineInWords(machine)}`),
  );
  const named = [...parts].slice(0, MOST_NAMED);
  return parts.size > named.length ? [...named, `and ${parts.size - named.length} more`] : named;
}
