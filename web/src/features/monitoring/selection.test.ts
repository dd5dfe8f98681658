import { describe, expect, test } from 'vitest';
import { changedTo, checkState, leftOut, withAll, withItem } from './selection';

const names = ['bin', 'boot', 'crontab'];
const none: ReadonlySet<string> = new Set();

describe('recommended items', () => {
  test('are all chosen at first', () => {
    expect(checkState(names, none)).toBe(true);
  });

  test('show a mixed box when some are left out', () => {
    expect(checkState(names, withItem(none, 'boot', false))).toBe('mixed');
  });

  test('can be left out and chosen again together', () => {
    const without = withAll(none, names, false);
    expect(checkState(names, without)).toBe(false);
    expect(checkState(names, withAll(without, names, true))).toBe(true);
  });

  test('are left out again where they were turned off before, and chosen where they were deleted', () => {
    const rules = [
      { name: 'bin', enabled: true },
      { name: 'boot', enabled: false },
    ];
    expect([...leftOut(names, rules)]).toEqual(['boot']);
    expect(leftOut(names, []).size).toBe(0);
  });

  test('that were changed tell what they are about now, or that they are set otherwise', () => {
    const rules = [
      { name: '/BIN', path: '/opt' },
      { name: '/boot', path: '/boot' },
    ];
    expect([...changedTo(['/bin', '/boot'], rules)]).toEqual([
      ['/bin', 'changed to /opt'],
      ['/boot', 'changed'],
    ]);
    expect(changedTo([], rules).size).toBe(0);
  });
});
