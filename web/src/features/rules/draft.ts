import type { Rule } from '../../api/types';

/** A rule while it is being written: every field is there, and exclusions are lines of a text. */
export type RuleDraft = {
  name: string;
  path: string;
  group: string;
  exclude: string;
  recurse: boolean;
  links: NonNullable<Rule['links']>;
  pathType: NonNullable<Rule['pathType']>;
  enabled: boolean;
};

export const NEW_RULE: RuleDraft = {
  name: '',
  path: '',
  group: 'Custom',
  exclude: '',
  recurse: false,
  links: 'follow',
  pathType: 'any',
  enabled: true,
};

export function draftOf(rule: Rule): RuleDraft {
  return {
    name: rule.name,
    path: rule.path,
    group: rule.group ?? NEW_RULE.group,
    exclude: (rule.exclude ?? []).join('\n'),
    recurse: rule.recurse ?? NEW_RULE.recurse,
    links: rule.links ?? NEW_RULE.links,
    pathType: rule.pathType ?? NEW_RULE.pathType,
    enabled: rule.enabled ?? NEW_RULE.enabled,
  };
}

/** The rule that a draft stands for. Spaces inside a pattern are part of it; those around it are not. */
export function ruleOf(draft: RuleDraft): Rule {
  return {
    name: draft.name.trim(),
    type: 'linux-file',
    path: draft.path.trim(),
    group: draft.group.trim() || NEW_RULE.group,
    exclude: linesOf(draft.exclude),
    recurse: draft.recurse,
    links: draft.links,
    pathType: draft.pathType,
    enabled: draft.enabled,
  };
}

/** True if nothing would be lost by taking one for the other. */
export function isSameDraft(a: RuleDraft, b: RuleDraft): boolean {
  return JSON.stringify(ruleOf(a)) === JSON.stringify(ruleOf(b));
}

export type PathAdvice = { tone: 'error' | 'warning'; text: string };

/** What can be said of a path before the server judges it. */
export function pathAdvice(path: string): PathAdvice | undefined {
  const trimmed = path.trim();
  if (trimmed === '') return undefined;
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

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
