import type { Change } from '../../api/types';

type Told = Pick<Change, 'actor' | 'explanation' | 'source' | 'who'>;

/** Programs by which somebody acts with the rights of somebody else. */
const BECOMES = new Set(['sudo', 'su', 'doas', 'pkexec', 'runuser']);

/** What an explanation says of somebody who is not known; the server writes these sentences. */
const UNKNOWN = /Who (?:did it|else had a part in it) is not known: .*?\.(?=\s|$)/;

/** `root (sudo: amira)`: whose rights it had, and who had signed in if that is somebody else. */
export function personOf({ actor, who }: Told): string | undefined {
  const user = actor?.user ?? who;
  if (!actor?.loginUser || actor.loginUser === user) return user ?? undefined;
  const by = parentNames(actor.parents).find((name) => BECOMES.has(name)) ?? 'signed in';
  return `${user ?? 'somebody'} (${by}: ${actor.loginUser})`;
}

/** The program's name without its directory. */
export function programOf({ actor }: Told): string | undefined {
  return actor?.executable?.split(/[/\\]/).at(-1) || undefined;
}

/** Who in a few words, for a list; undefined if nobody is known. */
export function byLine(change: Told): string | undefined {
  const [person, program] = [personOf(change), programOf(change)];
  if (person !== undefined && program !== undefined) return `${program}, ${person}`;
  return person ?? program;
}

/** Why it is not known who made the change, as a sentence; undefined if it is. */
export function whyUnknown(change: Told): string | undefined {
  if (change.actor || change.who) return undefined;
  const told = UNKNOWN.exec(change.explanation ?? '')?.[0];
  if (told) return told;
  return change.source === 'RealTime'
    ? 'Who did it is not known.'
    : 'Who did it is not known: a scan finds what changed, not who changed it.';
}

/** What is told beside who made the change: a move, others who had a part in it. */
export function otherExplanation(change: Told): string | undefined {
  const text = change.explanation ?? '';
  const rest = change.actor || change.who ? text : text.replace(UNKNOWN, '');
  return rest.trim() || undefined;
}

function parentNames(parents: string | undefined | null): string[] {
  return (parents ?? '').split(' < ');
}
