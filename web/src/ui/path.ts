/**
 * Splits after the last separator; a path that ends in one keeps its last segment as the name. In a path of Unix, which
 * starts with a slash, a backslash is part of a name: it also writes bytes that are not text, as in `a\x0ab`.
 */
export function splitPath(path: string): { directory: string; name: string } {
  const separators = path.startsWith('/') ? ['/'] : ['/', '\\'];
  let end = path.length;
  while (separators.includes(path.charAt(end - 1))) end -= 1;
  const trimmed = path.slice(0, end);
  const cut = Math.max(...separators.map((separator) => trimmed.lastIndexOf(separator)));
  const name = path.slice(cut + 1);
  return name === '' ? { directory: '', name: path } : { directory: path.slice(0, cut + 1), name };
}
