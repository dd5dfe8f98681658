import { describe, expect, test } from 'vitest';
import { byLine, otherExplanation, personOf, whyUnknown } from './who';

const VIM = {
  source: 'RealTime',
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
    expect(byLine({ source: 'RealTime', who: 'root' })).toBe('root');
    expect(byLine({ source: 'RealTime', actor: { processId: 7, executable: '/bin/dd' } })).toBe('dd');
    expect(byLine({ source: 'Scan' })).toBeUndefined();
  });

  test('is not known for a reason', () => {
    const explanation =
      'It was moved; it was called /a. b before. Who did it is not known: the process had ended before it could be asked.';
    const change = { source: 'RealTime', explanation };
    expect(whyUnknown(change)).toBe(
      'Who did it is not known: the process had ended before it could be asked.',
    );
    expect(otherExplanation(change)).toBe('It was moved; it was called /a. b before.');
    expect(whyUnknown({ source: 'Scan' })).toMatch(/a scan finds what changed/);
    expect(whyUnknown(VIM)).toBeUndefined();
  });

  test('keeps what is told of others beside the one who is known', () => {
    const explanation =
      'Others had a part in it: /usr/bin/vi (7, root). Who else had a part in it is not known: x.';
    expect(otherExplanation({ ...VIM, explanation })).toBe(explanation);
  });
});
