import { splitPath } from './path';

/**
 * A path on one line whose last segment always stays visible. What does not fit is left out at the front, since the
 * directories next to a file say more of it than the first ones.
 */
export function PathText({ path }: { path: string }) {
  const { directory, name } = splitPath(path);
  return (
    <span className="path" title={path}>
      {/* The root has none, whose box would push it to the right. */}
      {directory !== '' && (
        <span className="directory">
          <bdi dir="ltr">{directory}</bdi>
        </span>
      )}
      <span className="name">{name}</span>
    </span>
  );
}
