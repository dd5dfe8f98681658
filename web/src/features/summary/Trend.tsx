import { compareWithPrevious } from './compareWithPrevious';

/** The figure beside the one of the period before, in words and with an arrow. */
export function Trend({ total, previous }: { total: number; previous: number }) {
  const { text, isNotable } = compareWithPrevious(total, previous);
  return <span className={isNotable ? 'bad' : undefined}>{text}</span>;
}
