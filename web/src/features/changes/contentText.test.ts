import { describe, expect, it } from 'vitest';
import type { ChangeContent } from '../../api/types';
import { visible, whyNoText } from './contentText';

const CONTENT: ChangeContent = {
  id: '1',
  machine: 'web',
  entity: '/etc/a',
  before: 'text',
  after: 'text',
  hunks: [],
  isCut: false,
};

describe('visible', () => {
  it('spells out what nobody sees, and leaves the rest', () => {
    expect(visible('a\tb é\r')).toBe('a\tb é');
    expect(visible('x\u202ey\u001b[2J\u200b')).toBe('x\\u{202e}y\\u{1b}[2J\\u{200b}');
  });
});

describe('whyNoText', () => {
  it('says what there is no text of and why', () => {
    expect(whyNoText({ ...CONTENT, after: 'not-text' })).toBe('After the change: it is not text.');
    expect(whyNoText({ ...CONTENT, before: 'no-file', after: 'lost' })).toContain('a key that is gone');
    expect(whyNoText(CONTENT)).toBe('The text is the same before and after the change.');
  });

  it('says nothing where there is a difference to show', () => {
    const hunk = { beforeStart: 1, beforeLines: 0, afterStart: 1, afterLines: 0, lines: [] };
    expect(whyNoText({ ...CONTENT, hunks: [hunk] })).toBeUndefined();
  });
});
