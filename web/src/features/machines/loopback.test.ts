import { expect, test } from 'vitest';
import { loopbackServer } from './loopback';

const command = (server: string) => `steadfast-agent enroll --server ${server} --token-file -`;

test('an address that only the server itself can reach is told', () => {
  for (const server of ['https://127.0.0.1:8443', 'https://localhost:8443', 'https://[::1]:8443']) {
    expect(loopbackServer(command(server))).toBe(server);
  }
});

test('an address that others can reach is not', () => {
  for (const server of ['https://fim.example.net:8443', 'https://10.0.0.7:8443', 'https://127.example.net']) {
    expect(loopbackServer(command(server))).toBeUndefined();
  }
  expect(loopbackServer('something else')).toBeUndefined();
});
