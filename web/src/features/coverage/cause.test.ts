import { describe, expect, test } from 'vitest';
import { formatTimestamp } from '../../ui/format';
import { causeInWords, detailInWords } from './cause';

const told = (cause: string, detail: string) => detailInWords({ cause, end: null, detail });

describe('the particulars of a gap', () => {
  test('are left out where they say what the cause says', () => {
    expect(told('AgentStopped', 'the agent was stopped')).toBeUndefined();
    expect(told('AgentStopped', '')).toBeUndefined();
    expect(told('ScanCutShort', 'the agent was stopped')).toBe('the agent was stopped');
  });

  test('have moments as the page writes them', () => {
    const moment = '2026-11-23T00:33:59.4399468Z';
    expect(told('AgentNotReporting', `nothing heard for 20 s; last heard ${moment}`)).toBe(
      `nothing heard for 20 s; last heard ${formatTimestamp(moment)}`,
    );
  });
});

test('a first baseline is over once its gap has ended', () => {
  expect(causeInWords({ cause: 'BaselinePending', end: null })).toBe('The first baseline is being taken');
  expect(causeInWords({ cause: 'BaselinePending', end: '2026-11-23T00:00:00Z' })).toBe(
    'Before the first baseline',
  );
});
