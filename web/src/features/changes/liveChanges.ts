import type { ChangeFilters } from '../../api/queries';
import type { Change } from '../../api/types';

/** Whether the list would show the change; the same rule as the server's for `q`, which ignores case. */
export function matchesFilters(change: Change, filters: ChangeFilters): boolean {
  const { q, type, category, machine } = filters;
  const text = q?.toLowerCase();
  return (
    (type === undefined || change.type === type) &&
    (category === undefined || change.category === category) &&
    (machine === undefined || change.machine === machine) &&
    (text === undefined ||
      [change.entity, change.machine, change.rule].some((field) => field.toLowerCase().includes(text)))
  );
}

/** A change out of the stream; undefined for what is none, which is left out rather than shown wrongly. */
export function parseChange(data: string): Change | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isChange(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isChange(value: unknown): value is Change {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['id', 'time', 'machine', 'type', 'category', 'entity', 'rule'].every(
      (name) => typeof Reflect.get(value, name) === 'string',
    )
  );
}
