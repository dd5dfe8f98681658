import type { ChangeFilters } from '../api/queries';
import type { Gap } from '../api/types';
import { parseAbsolute, RELATIVE_RANGES } from '../ui/timeRange';

/** A KQL string literal; quotes, backslashes and line breaks in the text cannot end it. */
export function kqlString(text: string): string {
  const escaped = text
    .replace(/\\/g, '\\\\')
    .replace(/'/g, "\\'")
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t');
  return `'${escaped}'`;
}

/** The condition that a range of the page stands for. */
export function kqlPeriod(range: string): string {
  const absolute = parseAbsolute(range);
  if (absolute) {
    return `TimeGenerated >= datetime(${absolute.from}) and TimeGenerated <= datetime(${absolute.to})`;
  }
  const known = RELATIVE_RANGES.find((one) => one.range === range);
  return `TimeGenerated > ago(${known?.range ?? '7d'})`;
}

/** The query that finds what the list of changes shows: each filter of the page is a line of it. */
export function changesKql(range: string, filters: ChangeFilters): string {
  const { q, type, category, machine } = filters;
  const conditions = [
    kqlPeriod(range),
    machine && `Computer == ${kqlString(machine)}`,
    type && `ConfigChangeType == ${kqlString(type)}`,
    category && `ChangeCategory == ${kqlString(category)}`,
    q &&
      ['FileSystemPath', 'Computer', 'RuleName']
        .map((name) => `${name} contains ${kqlString(q)}`)
        .join(' or '),
  ];
  return [
    'ConfigurationChange',
    ...conditions.filter(Boolean).map((condition) => `| where ${condition}`),
    `| project ${CHANGE_COLUMNS.join(', ')}`,
    '| order by TimeGenerated desc',
  ].join('\n');
}

/** The query that finds the history of one file on one machine. */
export function entityKql(machine: string, path: string): string {
  return [
    'ConfigurationChange',
    '| where TimeGenerated > ago(14d)',
    `| where Computer == ${kqlString(machine)}`,
    `| where FileSystemPath == ${kqlString(path)}`,
    '| order by TimeGenerated desc',
  ].join('\n');
}

/** The query that finds one stretch that was not watched. */
export function gapKql({ machine, scope, cause, start }: Gap): string {
  return [
    'Coverage',
    ...(machine === '*' ? [] : [`| where Computer == ${kqlString(machine)}`]),
    `| where Scope == ${kqlString(scope)} and Cause == ${kqlString(cause)}`,
    `| where StartTime == datetime(${start})`,
  ].join('\n');
}

const CHANGE_COLUMNS = [
  'TimeGenerated',
  'Computer',
  'ConfigChangeType',
  'ChangeCategory',
  'FileSystemPath',
  'FieldsChanged',
  'Size',
  'PreviousSize',
  'FileContentChecksum',
  'PreviousFileContentChecksum',
  'RuleName',
  'ChangeId',
];
