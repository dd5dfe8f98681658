import { describe, expect, test } from 'vitest';
import type { Machine } from '../../api/types';
import { agentStatus } from './agentStatus';

const machine: Machine = {
  id: 'm',
  name: 'web-01',
  os: 'Debian 12',
  osKind: 'linux',
  total: 0,
  files: 0,
  registry: 0,
  services: 0,
  software: 0,
  lastSeen: '2026-11-22T12:00:00Z',
  status: 'online',
  trend: [],
  agentVersion: '0.1.0',
  state: 'idle',
  provider: 'fanotify+ebpf',
  spoolRecords: 0,
  openGaps: 0,
};

describe('agent status', () => {
  test('an agent that is not heard is offline, whatever it was doing', () => {
    expect(agentStatus({ ...machine, status: 'offline', state: 'baselining' }).word).toBe('Offline');
  });

  test('the first baseline shows how far it is', () => {
    const status = agentStatus({
      ...machine,
      state: 'baselining',
      progress: { filesDone: 50, filesTotal: 200, bytesDone: 3_000_000, bytesTotal: 4_000_000 },
    });
    expect(status).toMatchObject({ word: 'First baseline', progress: 0.75, note: '25 % of 200 files' });
  });

  test('a baseline of unknown size has progress without an end', () => {
    const status = agentStatus({
      ...machine,
      state: 'baselining',
      progress: { filesDone: 5, bytesDone: 10 },
    });
    expect(status.progress).toBe('unknown');
  });

  test('progress never passes the end', () => {
    const progress = { filesDone: 12, filesTotal: 10, bytesDone: 0 };
    expect(agentStatus({ ...machine, state: 'scanning', progress }).progress).toBe(1);
  });

  test('an agent that waits for its next scan is online', () => {
    expect(agentStatus(machine)).toEqual({ tone: 'good', word: 'Online' });
  });
});
