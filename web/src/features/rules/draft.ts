import type { Rule } from '../../api/types';

export type RuleType = NonNullable<Rule['type']>;

/** What rules of each type monitor, in the words of the published settings. */
export const RULE_TYPES: Readonly<Record<RuleType, string>> = {
  'linux-file': 'Linux files',
  'windows-file': 'Windows files',
  registry: 'Windows registry',
};

/** A rule while it is being written: every field is there, and exclusions are lines of a text. */
export type RuleDraft = {
  type: RuleType;
  name: string;
  path: string;
  group: string;
  exclude: string;
  recurse: boolean;
  links: NonNullable<Rule['links']>;
  pathType: NonNullable<Rule['pathType']>;
  uploadContent: boolean;
  enabled: boolean;
};

export const NEW_RULE: RuleDraft = {
  type: 'linux-file',
  name: '',
  path: '',
  group: 'Custom',
  exclude: '',
  recurse: false,
  links: 'follow',
  pathType: 'any',
  uploadContent: false,
  enabled: true,
};

export function draftOf(rule: Rule): RuleDraft {
  return {
    type: rule.type ?? NEW_RULE.type,
    name: rule.name,
    path: rule.path,
    group: rule.group ?? NEW_RULE.group,
    exclude: (rule.exclude ?? []).join('\n'),
    recurse: rule.recurse ?? NEW_RULE.recurse,
    links: rule.links ?? NEW_RULE.links,
    pathType: rule.pathType ?? NEW_RULE.pathType,
    uploadContent: rule.uploadContent ?? NEW_RULE.uploadContent,
    enabled: rule.enabled ?? NEW_RULE.enabled,
  };
}

/** The rule that a draft stands for. Spaces inside a pattern are part of it; those around it are not. */
export function ruleOf(draft: RuleDraft): Rule {
  return {
    name: draft.name.trim(),
    type: draft.type,
    path: draft.path.trim(),
    group: draft.group.trim() || NEW_RULE.group,
    exclude: linesOf(draft.exclude),
    recurse: draft.recurse,
    links: draft.links,
    pathType: draft.pathType,
    uploadContent: draft.uploadContent,
    enabled: draft.enabled,
  };
}

/** True if nothing would be lost by taking one for the other. */
export function isSameDraft(a: RuleDraft, b: RuleDraft): boolean {
  return JSON.stringify(ruleOf(a)) === JSON.stringify(ruleOf(b));
}

export type PathAdvice = { tone: 'error' | 'warning'; text: string };

/** What can be said of a path before the server judges it. */
export function pathAdvice(path: string, type: RuleType): PathAdvice | undefined {
  const trimmed = path.trim();
  if (trimmed === '') return undefined;
  switch (type) {
    case 'linux-file':
      return linuxAdvice(trimmed);
    case 'windows-file':
      return windowsAdvice(trimmed);
    case 'registry':
      return registryAdvice(trimmed);
  }
}

function linuxAdvice(trimmed: string): PathAdvice | undefined {
  if (!trimmed.startsWith('/')) {
    return { tone: 'error', text: 'A path of a Linux machine starts with “/”.' };
  }
  if (/^\/(\*+\/?)*$/.test(trimmed)) {
    return {
      tone: 'warning',
      text: 'This names the whole system: a scan of it takes long. Name a directory.',
    };
  }
  if (/^\/(proc|sys|dev|run|tmp|var\/log)(\/|$)/.test(trimmed)) {
    return { tone: 'warning', text: 'What is below this changes all the time, so it will report a lot.' };
  }
  return undefined;
}

function windowsAdvice(trimmed: string): PathAdvice | undefined {
  if (!/^([a-z]:|%[^%\\/]+%|[\\/]{2}[^\\/])/i.test(trimmed)) {
    return {
      tone: 'error',
      text: 'A path of a Windows machine starts with a drive, as “C:\\”, or with a variable, as “%SystemRoot%”.',
    };
  }
  if (/^[a-z]:[\\/]?((\*+|\*\.\*)[\\/]?)*$/i.test(trimmed)) {
    return { tone: 'warning', text: 'This names a whole drive: a scan of it takes long. Name a folder.' };
  }
  if (/[\\/](temp|tmp|logs?|winevt|prefetch)([\\/]|$)/i.test(trimmed)) {
    return { tone: 'warning', text: 'What is below this changes all the time, so it will report a lot.' };
  }
  return undefined;
}

function registryAdvice(trimmed: string): PathAdvice | undefined {
  if (!/^(HKLM|HKEY_LOCAL_MACHINE|HKU|HKEY_USERS):?([\\/]|$)/i.test(trimmed)) {
    return {
      tone: 'error',
      text: 'A key is named with its hive, as “HKLM\\SOFTWARE\\Vendor”; a colon comes before the name of one value.',
    };
  }
  if (/^[^\\/]+[\\/]?\**$/.test(trimmed)) {
    return { tone: 'warning', text: 'This names a whole hive: a scan of it takes long. Name a key.' };
  }
  return undefined;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
