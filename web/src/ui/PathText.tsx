import { splitPath } from './path';

/** A path on one line whose last segment always stays visible. */
export function PathText({ path }: { path: string }) {
  const { directory, name } = splitPath(path);
  return (
    <span className="path" title={path}>
      <span className="directory">{directory}</span>
      <span className="name">{name}</span>
    </span>
  );
}
