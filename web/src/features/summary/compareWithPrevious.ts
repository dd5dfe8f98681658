import type { Watched } from '../../api/types';
import { formatCount } from '../../ui/format';

/** A rise of this much, in percent, is worth a look. */
const NOTABLE_PERCENT = 15;

type Comparison = { text: string; isNotable: boolean };

/**
 * The total beside the one of the period before, of which `watched` says how much was watched: a count of what nobody
 * watched is no count, and one of what was watched in part is less than there was.
 */
export function compareWithPrevious(total: number, previous: number, watched: Watched): Comparison {
  switch (watched) {
    case 'nothing':
      return { text: 'not watched in the previous period', isNotable: false };
    case 'part':
      return { text: `${difference(total, previous).text}, which was not all watched`, isNotable: false };
    // Single places say little of how many changes there were.
    case 'most':
    case 'all':
      return difference(total, previous);
  }
}

function difference(total: number, previous: number): Comparison {
  if (total === previous) return { text: 'same as previous period', isNotable: false };
  // A percentage of nothing says nothing.
  if (previous === 0) return { text: 'none in previous period', isNotable: false };
  const percent = Math.round(((total - previous) / previous) * 100);
  const arrow = total > previous ? '▲' : '▼';
  return {
    text: `${arrow} ${formatCount(Math.abs(percent))} % vs previous period`,
    isNotable: percent > NOTABLE_PERCENT,
  };
}
