import { formatCount, formatPreciseTimestamp } from '../../ui/format';

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** An attribute's value for a person: moments in their time zone, sizes with a unit, all else as it is. */
export function attributeText(name: string, value: string): string {
  if (MOMENT.test(value)) return formatPreciseTimestamp(value);
  if (name === 'Size' && /^\d+$/.test(value)) return `${formatCount(Number(value))} B`;
  return value;
}
