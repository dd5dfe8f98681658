/** The lines around `line` (from 1) up to blank ones: the query that the cursor stands in. */
export function blockAround(lines: readonly string[], line: number): { first: number; last: number } {
  const isBlank = (number: number) => !lines[number - 1]?.trim();
  let first = line;
  let last = line;
  while (first > 1 && !isBlank(first - 1)) first -= 1;
  while (last < lines.length && !isBlank(last + 1)) last += 1;
  return { first, last };
}
