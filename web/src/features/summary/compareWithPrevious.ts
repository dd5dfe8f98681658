import { formatCount } from '../../ui/format';

/** A rise of this much, in percent, is worth a look. */
const NOTABLE_PERCENT = 15;

export function compareWithPrevious(total: number, previous: number): { text: string; isNotable: boolean } {
  if (total === previous) return { text: 'as many as in the period before', isNotable: false };
  // A percentage of nothing says nothing.
  if (previous === 0) return { text: 'none in the period before', isNotable: false };
  const percent = Math.round(((total - previous) / previous) * 100);
  const arrow = total > previous ? '▲' : '▼';
  return {
    text: `${arrow} ${formatCount(Math.abs(percent))} % vs previous period`,
    isNotable: percent > NOTABLE_PERCENT,
  };
}
