import type { ChangeFilters } from '../api/queries';
import type { Change, ChangeType, Gap } from '../api/types';
import { parseAbsolute, RELATIVE_RANGES } from '../ui/timeRange';

/** A KQL string literal; nothing in the text can end it, and line breaks and what else cannot be seen stay visible. */
export function kqlString(text: string): string {
  const escaped = text
    .replace(/['\\]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t')
    .replace(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `'${escaped}'`;
}

/** The condition that a range of the page stands for. */
export function kqlPeriod(range: string): string {
  const absolute = parseAbsolute(range);
  if (absolute) {
    return `TimeGenerated >= datetime(${absolute.from}) and TimeGenerated < datetime(${absolute.to})`;
  }
  const known = RELATIVE_RANGES.find((one) => one.range === range);
  return `TimeGenerated > ago(${known?.range ?? '7d'})`;
}

/** The query that finds what the list of changes shows: each filter of the page is a line of it, as the server reads it. */
export function changesKql(range: string, filters: ChangeFilters): string {
  const { q, type, category, machine } = filters;
  const conditions = [
    kqlPeriod(range),
    machine && anyOf(['Computer', 'SourceComputerId'], '==', machine),
    type && `ConfigChangeType == ${kqlString(type)}`,
    category && `ChangeCategory == ${kqlString(category)}`,
    q?.trim() && anyOf(SEARCHED, 'contains', q.trim()),
  ];
  return [
    'ConfigurationChange',
    ...conditions.filter(Boolean).map((condition) => `| where ${condition}`),
    `| project ${CHANGE_COLUMNS.join(', ')}`,
    '| order by TimeGenerated desc',
  ].join('\n');
}

/** The query that finds the history of one entity on one machine, as far back as that change at least. */
export function entityKql({ machine, type, entity, time }: Change): string {
  return [
    'ConfigurationChange',
    `| where TimeGenerated >= min_of(ago(14d), datetime(${time}))`,
    `| where Computer == ${kqlString(machine)} and ConfigChangeType == ${kqlString(type)}`,
    ...(type === 'Registry' ? REGISTRY_NAME : []),
    `| where ${ENTITY_COLUMN[type]} == ${kqlString(entity)}`,
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

function anyOf(columns: readonly string[], operator: '==' | 'contains', text: string): string {
  return columns.map((name) => `${name} ${operator} ${kqlString(text)}`).join(' or ');
}

/** Control characters, and separators that some readers take for the end of a line. */
const UNSEEN = /[\p{Cc}\u2028\u2029]/gu;

/** The columns that the server looks for the text of a search in. */
const SEARCHED = [
  'FileSystemPath',
  'RegistryKey',
  'ValueName',
  'SvcName',
  'SoftwareName',
  'Computer',
  'RuleName',
];

/** Where the name of what changed stands. */
const ENTITY_COLUMN: Record<ChangeType, string> = {
  Files: 'FileSystemPath',
  Registry: 'Entity',
  WindowsServices: 'SvcName',
  Daemons: 'SvcName',
  Software: 'SoftwareName',
};

/** A key is called by its path, and a value by its key and name, as lists call them. */
const REGISTRY_NAME = [
  "| extend Value = iff(isempty(ValueName), '(Default)', ValueName)",
  "| extend Entity = iff(isempty(ValueType) and isempty(PreviousValueType), RegistryKey, strcat(RegistryKey, '\\\\', Value))",
];

const CHANGE_COLUMNS = [
  'TimeGenerated',
  'Computer',
  'ConfigChangeType',
  'ChangeCategory',
  'FileSystemPath',
  'RegistryKey',
  'ValueName',
  'SvcName',
  'SoftwareName',
  'FieldsChanged',
  'Previous',
  'Current',
  'Size',
  'PreviousSize',
  'FileContentChecksum',
  'PreviousFileContentChecksum',
  'InitiatingProcessName',
  'InitiatingProcessAccountName',
  'RuleName',
  'ChangeId',
];
