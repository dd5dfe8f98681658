import type { QueryColumn, QueryResult } from '../../../api/types';
import { formatTimestamp } from '../../../ui/format';
import { cellText, isNumeric } from '../cell';
import type { ChartKind } from './render';

/** A horizontal position: a moment in milliseconds, a number, or the text of a category. */
export type Position = number | string;

export type Series = { name: string; points: [Position, number][] };

/** What is drawn, apart from how it looks. */
export type ChartModel = {
  kind: ChartKind;
  axis: 'time' | 'value' | 'category';
  series: Series[];
  /** How many series more there are than are drawn. */
  leftOut: number;
};

/** More lines than this nobody can tell apart. */
export const MOST_SERIES = 16;

/**
 * The answer as the chart that was asked for; undefined if it has no number to draw.
 *
 * As the language says: the first column is the horizontal one (in a `timechart` the first moment), columns of text split
 * the rows into series, and each column of numbers is one.
 */
export function chartModel(result: QueryResult, kind: ChartKind): ChartModel | undefined {
  const x = horizontalColumn(result.columns, kind);
  if (x === undefined) return undefined;
  const others = result.columns
    .map((column, index) => ({ ...column, index }))
    .filter(({ index }) => index !== x);
  const numbers = others.filter(({ type }) => isNumeric(type));
  const splits = others.filter(({ type }) => !isNumeric(type) && type !== 'datetime');
  if (numbers.length === 0 || result.rows.length === 0) return undefined;
  const drawn = kind === 'piechart' ? numbers.slice(0, 1) : numbers;

  const xType = result.columns[x]?.type ?? 'string';
  const axis = axisOf(xType, kind);
  const byName = new Map<string, Series>();
  for (const row of inOrderOf(x, result, axis)) {
    const position = positionOf(row[x], xType, axis);
    if (position === undefined) continue;
    const group = splits.map(({ index, type }) => cellText(row[index], type) ?? '').join(', ');
    for (const { name, index } of drawn) {
      const value = Number(row[index]);
      if (row[index] === null || !Number.isFinite(value)) continue;
      const seriesName = seriesNameOf(group, name, splits.length > 0, drawn.length > 1);
      const series = byName.get(seriesName) ?? { name: seriesName, points: [] };
      series.points.push([position, value]);
      byName.set(seriesName, series);
    }
  }
  const all = [...byName.values()];
  for (const { points } of all) {
    if (axis !== 'category') points.sort(([a], [b]) => Number(a) - Number(b));
  }
  return { kind, axis, series: all.slice(0, MOST_SERIES), leftOut: Math.max(0, all.length - MOST_SERIES) };
}

/** The rows as they come, or by their moment or number where that only names a category: categories stand as they come. */
function inOrderOf(x: number, { columns, rows }: QueryResult, axis: ChartModel['axis']): unknown[][] {
  const type = columns[x]?.type ?? 'string';
  if (axis !== 'category' || (type !== 'datetime' && !isNumeric(type))) return rows;
  const order = (row: unknown[]) => (type === 'datetime' ? Date.parse(String(row[x])) : Number(row[x]));
  return [...rows].sort((a, b) => order(a) - order(b) || 0);
}

function horizontalColumn(columns: readonly QueryColumn[], kind: ChartKind): number | undefined {
  if (kind === 'timechart') {
    const index = columns.findIndex(({ type }) => type === 'datetime');
    return index < 0 ? undefined : index;
  }
  // Charts of categories read best by a name, wherever it stands.
  const named = columns.findIndex(({ type }) => !isNumeric(type));
  return named < 0 ? (columns.length > 1 ? 0 : undefined) : named;
}

function axisOf(type: string, kind: ChartKind): ChartModel['axis'] {
  if (kind === 'piechart' || kind === 'barchart' || kind === 'columnchart') return 'category';
  if (type === 'datetime') return 'time';
  return isNumeric(type) ? 'value' : 'category';
}

function positionOf(value: unknown, type: string, axis: ChartModel['axis']): Position | undefined {
  if (axis === 'category') {
    return type === 'datetime' && typeof value === 'string'
      ? formatTimestamp(value)
      : (cellText(value, type) ?? '(none)') || '(empty)';
  }
  const position = axis === 'time' ? Date.parse(String(value)) : Number(value);
  return value === null || !Number.isFinite(position) ? undefined : position;
}

function seriesNameOf(group: string, column: string, isSplit: boolean, isNamed: boolean): string {
  if (!isSplit) return column;
  const name = group || '(empty)';
  return isNamed ? `${name}: ${column}` : name;
}
