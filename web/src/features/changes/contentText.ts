import type { ChangeContent } from '../../api/types';

type State = ChangeContent['before'];

/** Why there is nothing to compare, for a person; undefined if there is. */
export function whyNoText({ before, after, hunks }: ChangeContent): string | undefined {
  if (hunks.length > 0) return undefined;
  const lacking = [
    ['Before the change', before],
    ['After the change', after],
  ] as const;
  const told = lacking.flatMap(([side, state]) => {
    const why = WHY[state];
    return why === undefined ? [] : [`${side}: ${why}.`];
  });
  return told.length === 0 ? 'The text is the same before and after the change.' : told.join(' ');
}

/** The line with what nobody sees in it spelled out: it could make a line read as another. */
export function visible(line: string): string {
  return line.replace(/\r$/, '').replace(UNSEEN, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
}

const UNSEEN = /(?!\t)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const WHY: Readonly<Record<State, string | undefined>> = {
  text: undefined,
  'no-file': undefined,
  unknown: 'the record does not say what the content was',
  'not-received': 'no text was received; a rule that stores file content has it sent from the next scan on',
  'too-large': 'the file is too large to have its text stored',
  'not-text': 'it is not text',
  'changed-while-read': 'the file was changed again before its text was read',
  unreadable: 'the file could not be read for its text',
  'limit-reached': 'what the server keeps of the machine or its workspace was full',
  lost: 'it was encrypted with a key that is gone, or is damaged',
};
