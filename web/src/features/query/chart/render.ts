/** The charts that a query can ask for and the page draws. */
export const CHART_KINDS = [
  'timechart',
  'linechart',
  'areachart',
  'columnchart',
  'barchart',
  'piechart',
] as const;

export type ChartKind = (typeof CHART_KINDS)[number];

/** What a query asks for by `render`: a chart, or something that is shown as a table instead. */
export type Rendering = { kind: ChartKind } | { unknown: string };

/** Comments, and every spelling of a text, in which `render` is only a word. */
const NOT_CODE =
  /\/\/[^\n]*|[hH]?@"(?:[^"]|"")*"|[hH]?@'(?:[^']|'')*'|[hH]?"(?:[^"\\\n]|\\.)*"|[hH]?'(?:[^'\\\n]|\\.)*'/g;
const RENDER = /\|\s*render\s+([a-z0-9_]+)/gi;

/** The last `render` of the query; undefined if it has none or asks for a table. */
export function renderingOf(query: string): Rendering | undefined {
  const word = [...query.replace(NOT_CODE, '""').matchAll(RENDER)].at(-1)?.[1]?.toLowerCase();
  if (word === undefined || word === 'table') return undefined;
  const kind = CHART_KINDS.find((one) => one === word);
  return kind ? { kind } : { unknown: word };
}
