import { describe, expect, test } from 'vitest';
import type { Change } from '../../api/types';
import { matchesFilters, parseChange } from './liveChanges';

const change: Change = {
  kind: null,
  id: '0a',
  time: '2026-11-22T12:00:00Z',
  machine: 'Web-01',
  type: 'Files',
  category: 'Modified',
  entity: '/etc/ssh/sshd_config',
  fields: ['Size'],
  rule: 'etc-conf',
  source: 'Scan',
};

describe('a live change', () => {
  test('is counted if the filters let it through', () => {
    expect(matchesFilters(change, {})).toBe(true);
    expect(
      matchesFilters(change, { q: 'SSHD', type: 'Files', category: 'Modified', machine: 'Web-01' }),
    ).toBe(true);
    expect(matchesFilters(change, { q: 'web-01' })).toBe(true);
  });

  test('is not counted if one filter stops it', () => {
    expect(matchesFilters(change, { category: 'Removed' })).toBe(false);
    expect(matchesFilters(change, { machine: 'web-02' })).toBe(false);
    expect(matchesFilters(change, { q: 'shadow' })).toBe(false);
  });

  test('is read from the stream', () => {
    expect(parseChange(JSON.stringify(change))).toEqual(change);
  });

  test('never breaks the page when the stream sends something else', () => {
    for (const data of ['', '{', 'null', '[]', '{"id":1}']) expect(parseChange(data)).toBeUndefined();
  });
});
