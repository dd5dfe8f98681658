import { expect, test } from 'vitest';
import { splitPath } from './path';

test.each([
  ['/etc/ssh/sshd_config', '/etc/ssh/', 'sshd_config'],
  ['C:\\Windows\\win.ini', 'C:\\Windows\\', 'win.ini'],
  ['/srv/new\\x0aline.txt', '/srv/', 'new\\x0aline.txt'],
  ['/etc/cron.d/', '/etc/', 'cron.d/'],
  ['/', '', '/'],
  ['vmlinuz', '', 'vmlinuz'],
])('the last segment of %s is its name', (path, directory, name) => {
  expect(splitPath(path)).toEqual({ directory, name });
});
