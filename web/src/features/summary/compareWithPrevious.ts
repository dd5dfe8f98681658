import { formatCount } from '../../ui/format';

/** A rise of this much, in percent, is worth a look. */
const NOTABLE_PERCENT = 15;

export function compareWithPrevious(total: number, previous: number): { text: string; isNotable: boolean } {
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
