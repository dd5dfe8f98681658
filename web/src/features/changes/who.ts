import type { Change } from '../../api/types';

type Told = Pick<Change, 'actor' | 'who' | 'whoUnknown' | 'others' | 'moreOthers'>;

/** Programs by which somebody acts with the rights of somebody else. */
const BECOMES = new Set(['sudo', 'su', 'doas', 'pkexec', 'runuser']);

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
  const first = person !== undefined && program !== undefined ? `${program}, ${person}` : (person ?? program);
  const others = othersOf(change);
  return first !== undefined && others > 0 ? `${first} and ${countedOthers(others)}` : first;
}

/** How many processes had a part in it beside the one that it is put down to. */
export function othersOf({ others, moreOthers }: Told): number {
  return (others?.length ?? 0) + (moreOthers ?? 0);
}

/** `1 other`, `2 others`. */
export function countedOthers(count: number): string {
  return count === 1 ? '1 other' : `${count} others`;
}

/** Why it is not known who made the change, as a sentence; undefined if it is. */
export function whyUnknown(change: Told): string | undefined {
  if (change.actor || change.who) return undefined;
  return change.whoUnknown ? `Who did it is not known: ${change.whoUnknown}.` : 'Who did it is not known.';
}

function parentNames(parents: string | undefined | null): string[] {
  return (parents ?? '').split(' < ');
}
