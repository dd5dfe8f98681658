import { describe, expect, test } from 'vitest';
import { insertedText, isSupported, KIND } from './support';

const support = { operators: ['where', 'take'], functions: ['ago'], aggregates: ['count'] };

describe('completions', () => {
  test('offer only what the server answers', () => {
    expect(isSupported(KIND.queryPrefix, 'where', support)).toBe(true);
    expect(isSupported(KIND.queryPrefix, 'mv-expand', support)).toBe(false);
    expect(isSupported(KIND.builtInFunction, 'ago', support)).toBe(true);
    expect(isSupported(KIND.builtInFunction, 'geo_distance_2points', support)).toBe(false);
    expect(isSupported(KIND.aggregateFunction, 'percentile', support)).toBe(false);
  });

  test('never hide columns and tables', () => {
    expect(isSupported(KIND.column, 'Computer', support)).toBe(true);
    expect(isSupported(KIND.table, 'Heartbeat', support)).toBe(true);
  });

  test('are all offered while the lists are not known', () => {
    expect(isSupported(KIND.queryPrefix, 'mv-expand', { operators: [], functions: [], aggregates: [] })).toBe(
      true,
    );
  });

  test('do not bring a pipe or a space of their own', () => {
    expect(['where ', 'count\n| ', 'Computer', null].map(insertedText)).toEqual([
      'where',
      'count',
      'Computer',
      '',
    ]);
  });
});
