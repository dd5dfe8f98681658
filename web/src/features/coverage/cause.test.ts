import { describe, expect, test } from 'vitest';
import { formatTimestamp } from '../../ui/format';
import { detailInWords } from './cause';

describe('the particulars of a gap', () => {
  test('are left out where they say what the cause says', () => {
    expect(detailInWords('AgentStopped', 'the agent was stopped')).toBeUndefined();
    expect(detailInWords('AgentStopped', '')).toBeUndefined();
    expect(detailInWords('ScanCutShort', 'the agent was stopped')).toBe('the agent was stopped');
  });

  test('have moments as the page writes them', () => {
    const moment = '2026-11-23T00:33:59.4399468Z';
    expect(detailInWords('AgentNotReporting', `nothing heard for 20 s; last heard ${moment}`)).toBe(
      `nothing heard for 20 s; last heard ${formatTimestamp(moment)}`,
    );
  });
});
