import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Gap } from '../../api/types';
import { scopeInWords } from '../../domain/gaps';
import { formatTimestamp } from '../../ui/format';
import { causeInWords, detailInWords, gapId, reasonOf } from './cause';

const told = (cause: string, detail: string) => detailInWords({ cause, end: null, detail });

describe('the particulars of a gap', () => {
  test('are left out where they say what the cause says', () => {
    expect(told('ClockChanged', 'the clock jumped')).toBeUndefined();
    expect(told('AgentStopped', '')).toBeUndefined();
    expect(told('AgentStopped', 'the agent was stopped')).toBe('the agent was stopped');
    expect(told('ScanCutShort', 'the agent was stopped')).toBe('the agent was stopped');
  });

  test('have moments as the page writes them', () => {
    const moment = '2026-11-23T00:33:59.4399468Z';
    const text = detailInWords({ cause: 'ScanCutShort', end: moment, detail: `it ended at ${moment}` });
    expect(text?.replaceAll('\u2011', '-').replaceAll('\u00a0', ' ')).toBe(
      `it ended at ${formatTimestamp(moment)}`,
    );
  });

  test('never break a moment where a line ends', () => {
    expect(told('ScanCutShort', 'at 2026-11-23T00:33:59Z')).toMatch(/^at [^\s-]+\u00a0[^\s-]+$/);
  });

  test('advise what to do only while the gap goes on', () => {
    const gap = { cause: 'AgentNotReporting', detail: 'never heard' };
    expect(detailInWords({ ...gap, end: null })).toMatch(/^never heard; .*doctor/);
    expect(detailInWords({ ...gap, end: '2026-11-23T00:00:00Z' })).toBe('never heard');
  });
});

test('each cause that there is has words', () => {
  const gaps = readFileSync(join(process.cwd(), '../crates/fim-core/src/gap.rs'), 'utf8');
  const causes = [...gaps.matchAll(/Self::\w+ => "(\w+)"/g)].map(([, name = '']) => name);
  expect(causes.length).toBeGreaterThan(15);
  const without = causes.filter((cause) =>
    [null, '2026-11-23T00:00:00Z'].some((end) => causeInWords({ cause, end }) === cause),
  );
  expect(without).toEqual([]);
});

test('a gap of a list is of all that is in it', () => {
  expect(scopeInWords('*', '*')).toBe('Everything monitored');
  expect(scopeInWords('*', 'Daemons')).toBe('All daemons');
  expect(scopeInWords('*', 'WindowsServices')).toBe('All services');
  expect(scopeInWords('dpkg', 'Software')).toBe('All packages of dpkg');
  expect(scopeInWords('/etc', 'Files')).toBe('/etc');
});

test('a first baseline is over once its gap has ended', () => {
  expect(causeInWords({ cause: 'BaselinePending', end: null })).toBe('The first baseline is being taken');
  expect(causeInWords({ cause: 'BaselinePending', end: '2026-11-23T00:00:00Z' })).toBe(
    'Before the first baseline',
  );
});

describe('a stop of an agent that the server noticed as well', () => {
  const gap = (cause: string, start: string, end: string | null, machine = 'a'): Gap => ({
    machine,
    scope: '*',
    type: '*',
    start: `2026-11-23T${start}Z`,
    end: end && `2026-11-23T${end}Z`,
    cause,
    detail: '',
    provider: 'scan',
  });
  const stop = gap('AgentStopped', '09:45:07', '09:48:30');
  const check = (silence: Gap, reason: string, gaps = [stop]) =>
    expect(reasonOf(silence, [...gaps, silence])).toBe(reason);

  test('is told in the words of the stop', () => {
    expect(reasonOf(stop, [stop])).toBe('The agent did not run');
    check(gap('AgentNotReporting', '09:45:10', '09:48:31'), 'The agent did not run');
  });

  test('is told as silence until the agent has said that it did not run, and of all that it does not explain', () => {
    check(gap('AgentNotReporting', '09:45:10', null), 'The agent is not heard');
    check(gap('AgentNotReporting', '09:45:10', '09:59:00'), 'The agent was not heard');
    check(gap('AgentNotReporting', '09:30:00', '09:48:31'), 'The agent was not heard');
    check(gap('AgentNotReporting', '09:45:10', '09:48:31', 'b'), 'The agent was not heard');
  });
});

test('two gaps that differ in anything that tells them apart have two links', () => {
  const gap = {
    machine: 'a',
    scope: '*',
    type: '*',
    start: 's',
    end: null,
    cause: 'c',
    detail: '',
    provider: '',
  };
  const others = [{ machine: 'b' }, { scope: '/a' }, { type: 'Daemons' }, { start: 't' }, { cause: 'd' }];
  const ids = [{}, ...others].map((patch) => gapId({ ...gap, ...patch }));
  expect(new Set(ids).size).toBe(ids.length);
  expect(gapId({ ...gap, end: 'e', detail: 'more' })).toBe(gapId(gap));
});
