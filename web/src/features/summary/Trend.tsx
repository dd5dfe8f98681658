import type { Summary } from '../../api/types';
import { compareWithPrevious } from './compareWithPrevious';

/** The figure beside the one of the period before, in words and with an arrow. */
export function Trend({ summary }: { summary: Summary }) {
  const { total, previousTotal, previousWatched } = summary;
  const { text, isNotable } = compareWithPrevious(total, previousTotal, previousWatched);
  return <span className={isNotable ? 'bad' : undefined}>{text}</span>;
}
