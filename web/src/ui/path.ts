/** Splits after the last separator of either system; a path that ends in one keeps its last segment as the name. */
export function splitPath(path: string): { directory: string; name: string } {
  const trimmed = path.replace(/[/\\]+$/, '');
  const cut = Math.max(trimmed.lastIndexOf('/'), trimmed.lastIndexOf('\\'));
  const name = path.slice(cut + 1);
  return name === '' ? { directory: '', name: path } : { directory: path.slice(0, cut + 1), name };
}
