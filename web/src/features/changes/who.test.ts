import { describe, expect, test } from 'vitest';
import { byLine, personOf, whyUnknown } from './who';

const VIM = {
  who: 'root',
  actor: {
    executable: '/usr/bin/vim',
    processId: 7,
    commandLine: 'vim /etc/hosts',
    user: 'root',
    loginUser: 'amira',
    parents: 'sudo < bash < sshd',
  },
};

describe('who made a change', () => {
  test('is told with whoever had signed in', () => {
    expect(personOf(VIM)).toBe('root (sudo: amira)');
    expect(personOf({ ...VIM, actor: { ...VIM.actor, parents: 'cron' } })).toBe('root (signed in: amira)');
    expect(personOf({ ...VIM, actor: { ...VIM.actor, loginUser: 'root' } })).toBe('root');
  });

  test('is a program and a person in a list, as far as they are known', () => {
    expect(byLine(VIM)).toBe('vim, root (sudo: amira)');
    expect(byLine({ who: 'root' })).toBe('root');
    expect(byLine({ actor: { processId: 7, executable: '/bin/dd' } })).toBe('dd');
    expect(byLine({ whoUnknown: 'a scan found it' })).toBeUndefined();
  });

  test('is told with how many others had a part in it', () => {
    const dd = { executable: '/bin/dd', processId: 6 };
    expect(byLine({ ...VIM, others: [dd] })).toBe('vim, root (sudo: amira) and 1 other');
    expect(byLine({ ...VIM, others: [dd, { ...dd, hasOwnView: true }], moreOthers: 3 })).toBe(
      'vim, root (sudo: amira) and 5 others',
    );
  });

  test('is not known for a reason', () => {
    expect(whyUnknown({ whoUnknown: 'a scan found it' })).toBe('Who did it is not known: a scan found it.');
    expect(whyUnknown({})).toBe('Who did it is not known.');
    expect(whyUnknown(VIM)).toBeUndefined();
  });
});
