import type { Gap } from '../api/types';

/** Stretches that are not watched right now. */
export type OpenGaps = {
  /** Where something is wrong. */
  troubles: number;
  /** Where the first look at what a rule names is still under way, as it is after each start with something new. */
  firstLooks: number;
};

/** True for what is not watched because its first baseline is still being taken. */
export function isFirstLook({ cause }: Pick<Gap, 'cause'>): boolean {
  return cause === 'BaselinePending';
}

/**
 * The open gaps, `total` of them by the server's count, with those apart that end by themselves. `gaps` may be older than
 * the count, so it never makes a trouble smaller than none, and what it does not explain counts as a trouble.
 */
export function splitOpenGaps(total: number, gaps: readonly Gap[], machine?: string): OpenGaps {
  const known = gaps.filter(
    (gap) => gap.end === null && isFirstLook(gap) && (machine === undefined || gap.machine === machine),
  ).length;
  const firstLooks = Math.min(total, known);
  return { troubles: total - firstLooks, firstLooks };
}

/** The server tells of all machines at once what it cannot tell of each. */
export function machineInWords(machine: string): string {
  return machine === '*' ? 'All machines' : machine;
}

/** What was not watched: of a list, all of it, or what is read of it by itself. */
export function scopeInWords(scope: string, type: string): string {
  if (isPlace(scope, type)) return scope;
  return PARTS[scope] ?? WHOLE[type] ?? 'Everything monitored';
}

/** True if what was not watched is a path, and not a list or all. */
export function isPlace(scope: string, type: string): boolean {
  return scope !== '*' && (type === 'Files' || type === 'Registry');
}

const WHOLE: Record<string, string> = {
  Daemons: 'All daemons',
  WindowsServices: 'All services',
  Software: 'All software',
  Files: 'All files',
};

const PARTS: Record<string, string> = {
  systemd: 'All units of systemd',
  init: 'All scripts of init',
  dpkg: 'All packages of dpkg',
  rpm: 'All packages of rpm',
  apk: 'All packages of apk',
  snap: 'All snaps',
  flatpak: 'All flatpaks',
};
