/** Items are chosen unless they are in the set of disabled ones. */
type Disabled = ReadonlySet<string>;

export function withItem(disabled: Disabled, name: string, chosen: boolean): Disabled {
  const next = new Set(disabled);
  if (chosen) next.delete(name);
  else next.add(name);
  return next;
}

export function withAll(disabled: Disabled, names: readonly string[], chosen: boolean): Disabled {
  return names.reduce((set, name) => withItem(set, name, chosen), disabled);
}

/** What the box of a whole group shows. */
export function checkState(names: readonly string[], disabled: Disabled): boolean | 'mixed' {
  const chosen = names.filter((name) => !disabled.has(name)).length;
  if (chosen === names.length) return true;
  return chosen === 0 ? false : 'mixed';
}

/** Of the recommended items those that were turned off; one that was deleted is chosen again, as by `fim enable`. */
export function leftOut(
  names: readonly string[],
  rules: readonly { name: string; enabled?: boolean | undefined }[],
): Disabled {
  const off = new Set(rules.filter(({ enabled }) => enabled === false).map(({ name }) => name));
  return new Set(names.filter((name) => off.has(name)));
}

/** What the recommended items that were changed are about now, in words, by their names; case has no meaning in these. */
export function changedTo(
  changed: readonly string[],
  rules: readonly { name: string; path: string }[],
): ReadonlyMap<string, string> {
  return new Map(
    changed.map((name) => {
      const path = rules.find((rule) => rule.name.toLowerCase() === name.toLowerCase())?.path;
      return [name, path === undefined || path === name ? 'changed' : `changed to ${path}`];
    }),
  );
}
