import { describe, expect, test } from 'vitest';
import { overviewSearch, parseSearch, safeNext, stringifySearch } from './searchParams';

describe('URL state', () => {
  test('what is written is read back', () => {
    const state = {
      range: '2026-11-01T00:00:00.000Z..2026-11-02T00:00:00.000Z',
      q: '/etc/a b&c=1',
      machine: '42',
    };
    expect(parseSearch(stringifySearch(state))).toEqual(state);
  });

  test('nothing is left of what is not set', () => {
    expect(stringifySearch({ q: undefined, type: '' })).toBe('');
  });

  test('paths and moments stay readable', () => {
    expect(stringifySearch({ q: '/etc', t: '12:30' })).toBe('?q=/etc&t=12:30');
  });

  test('a search for digits stays text', () => {
    expect(overviewSearch.parse(parseSearch('?q=1234')).q).toBe('1234');
  });

  test('a bad link falls back to the defaults', () => {
    expect(overviewSearch.parse({ tab: 'alerts', range: 'forever', category: 'Renamed' })).toMatchObject({
      tab: 'servers',
      range: '7d',
      category: undefined,
    });
  });

  test('signing in never leads to another site', () => {
    for (const next of ['https://example.org', '//example.org', '/\\example.org', undefined]) {
      expect(safeNext(next)).toBe('/workspaces');
    }
    expect(safeNext('/w/default?tab=changes')).toBe('/w/default?tab=changes');
  });
});
