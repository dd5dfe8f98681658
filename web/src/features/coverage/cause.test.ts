import { describe, expect, test } from 'vitest';
import { formatTimestamp } from '../../ui/format';
import { causeInWords, detailInWords, scopeInWords } from './cause';

const told = (cause: string, detail: string) => detailInWords({ cause, end: null, detail });

describe('the particulars of a gap', () => {
  test('are left out where they say what the cause says', () => {
    expect(told('AgentStopped', 'the agent was stopped')).toBeUndefined();
    expect(told('AgentStopped', '')).toBeUndefined();
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

test('a gap of a list is of all that is in it', () => {
  expect(scopeInWords('*', '*')).toBe('Everything monitored');
  expect(scopeInWords('*', 'Daemons')).toBe('All daemons');
  expect(scopeInWords('/etc', 'Files')).toBe('/etc');
});

test('a first baseline is over once its gap has ended', () => {
  expect(causeInWords({ cause: 'BaselinePending', end: null })).toBe('The first baseline is being taken');
  expect(causeInWords({ cause: 'BaselinePending', end: '2026-11-23T00:00:00Z' })).toBe(
    'Before the first baseline',
  );
});
