import { describe, expect, test } from 'vitest';
import type { Change } from '../api/types';
import { changesKql, entityKql, kqlPeriod, kqlString } from './kql';

describe('KQL that the page writes', () => {
  test('a text cannot end its own literal', () => {
    expect(kqlString("a'b\\c\nd")).toBe("'a\\'b\\\\c\\nd'");
    expect(kqlString('a\0\u001b\u0085\u2028')).toBe("'a\\u0000\\u001b\\u0085\\u2028'");
    expect(kqlString('100 % of "*"')).toBe(`'100 % of "*"'`);
  });

  test('each filter is a condition', () => {
    const query = changesKql('7d', { q: 'ssh', type: 'Files', category: 'Removed', machine: 'web-01' });
    expect(query.split('\n').slice(0, 6)).toEqual([
      'ConfigurationChange',
      '| where TimeGenerated > ago(7d)',
      "| where Computer == 'web-01' or SourceComputerId == 'web-01'",
      "| where ConfigChangeType == 'Files'",
      "| where ChangeCategory == 'Removed'",
      "| where FileSystemPath contains 'ssh' or RegistryKey contains 'ssh' or ValueName contains 'ssh' or SvcName contains 'ssh' or SoftwareName contains 'ssh' or Computer contains 'ssh' or RuleName contains 'ssh'",
    ]);
  });

  test('what is searched for is shown', () => {
    const [, searched, shown] =
      /where (FileSystemPath contains .*)\n\| project (.*)/.exec(changesKql('7d', { q: 'x' })) ?? [];
    const names = searched?.split(' or ').map((one) => one.split(' ')[0]) ?? [];
    expect(names).toHaveLength(7);
    for (const name of names) expect(shown?.split(', ')).toContain(name);
  });

  test('no filter leaves only the period', () => {
    expect(changesKql('24h', {}).match(/where/g)).toHaveLength(1);
  });

  test('an absolute range becomes two comparisons', () => {
    expect(kqlPeriod('2026-11-01T00:00:00Z..2026-11-02T00:00:00Z')).toBe(
      'TimeGenerated >= datetime(2026-11-01T00:00:00.000Z) and TimeGenerated < datetime(2026-11-02T00:00:00.000Z)',
    );
  });

  test('the history of an entity names its machine, and the entity where its kind is named', () => {
    const change = (type: Change['type'], entity: string) =>
      ({ machine: 'web-01', type, entity, time: '2026-11-01T00:00:00Z' }) as Change;
    const file = entityKql(change('Files', '/etc/hosts'));
    expect(file).toContain("Computer == 'web-01' and ConfigChangeType == 'Files'");
    expect(file).toContain('min_of(ago(14d), datetime(2026-11-01T00:00:00Z))');
    expect(file).toContain("FileSystemPath == '/etc/hosts'");
    expect(entityKql(change('Daemons', 'ssh'))).toContain("SvcName == 'ssh'");
    expect(entityKql(change('WindowsServices', 'w32time'))).toContain("SvcName == 'w32time'");
    expect(entityKql(change('Software', 'bash'))).toContain("SoftwareName == 'bash'");
    const value = entityKql(change('Registry', 'HKEY_LOCAL_MACHINE\\Run\\a'));
    expect(value).toContain("strcat(RegistryKey, '\\\\', Value)");
    expect(value).toContain("| where Entity == 'HKEY_LOCAL_MACHINE\\\\Run\\\\a'");
  });
});
