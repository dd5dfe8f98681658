import { describe, expect, test } from 'vitest';
import { changesKql, entityKql, kqlPeriod, kqlString } from './kql';

describe('KQL that the page writes', () => {
  test('a text cannot end its own literal', () => {
    expect(kqlString("a'b\\c\nd")).toBe("'a\\'b\\\\c\\nd'");
  });

  test('each filter is a condition', () => {
    const query = changesKql('7d', { q: 'ssh', type: 'Files', category: 'Removed', machine: 'web-01' });
    expect(query.split('\n').slice(0, 6)).toEqual([
      'ConfigurationChange',
      '| where TimeGenerated > ago(7d)',
      "| where Computer == 'web-01'",
      "| where ConfigChangeType == 'Files'",
      "| where ChangeCategory == 'Removed'",
      "| where FileSystemPath contains 'ssh' or Computer contains 'ssh' or RuleName contains 'ssh'",
    ]);
  });

  test('no filter leaves only the period', () => {
    expect(changesKql('24h', {}).match(/where/g)).toHaveLength(1);
  });

  test('an absolute range becomes two comparisons', () => {
    expect(kqlPeriod('2026-11-01T00:00:00Z..2026-11-02T00:00:00Z')).toBe(
      'TimeGenerated >= datetime(2026-11-01T00:00:00.000Z) and TimeGenerated <= datetime(2026-11-02T00:00:00.000Z)',
    );
  });

  test('the history of a file names its machine', () => {
    expect(entityKql('web-01', '/etc/hosts')).toContain("FileSystemPath == '/etc/hosts'");
  });
});
