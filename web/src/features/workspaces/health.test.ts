import { describe, expect, test } from 'vitest';
import { type Health, healthOf } from './health';

const healthy = {
  state: 'enabled',
  machines: 2,
  machinesReporting: 2,
  openGaps: 0,
  pendingBaselines: 0,
} as const;

describe('a workspace', () => {
  const check = (patch: Partial<Parameters<typeof healthOf>[0]>, health: Health) =>
    expect(healthOf({ ...healthy, ...patch })).toBe(health);

  test('is watched only if every machine reports and no gap is open', () => {
    check({}, 'watching');
    check({ openGaps: 1 }, 'gaps');
    check({ machinesReporting: 1 }, 'partly-silent');
  });

  test('whose machines are all silent is not watched, though monitoring is on', () => {
    check({ machinesReporting: 0, openGaps: 2 }, 'silent');
    check({ machinesReporting: 0, openGaps: 0 }, 'silent');
  });

  test('without a machine is watched by nobody', () => {
    check({ machines: 0, machinesReporting: 0 }, 'no-machine');
  });

  test('that takes its first baseline has no trouble, unless there are other gaps', () => {
    check({ openGaps: 2, pendingBaselines: 2 }, 'first-baseline');
    check({ openGaps: 3, pendingBaselines: 2 }, 'gaps');
  });

  test('in which monitoring is off is that, whatever its machines do', () => {
    check({ state: 'disabled', machinesReporting: 0 }, 'off');
    check({ state: 'upgrade' }, 'not-in-plan');
  });
});
