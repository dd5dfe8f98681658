import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** What each folder may import, besides itself and packages. Features never import one another. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  api: [],
  ui: ['api/problem'],
  domain: ['api', 'ui'],
  features: ['api', 'ui', 'domain'],
  pages: ['api', 'ui', 'domain', 'features', 'app/searchParams', 'app/shortcuts'],
  app: ['api', 'ui', 'domain', 'features', 'pages'],
};

const ROOT = __dirname;

function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  const found = [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
  return found.map(([, target = '']) => relative(ROOT, resolve(dirname(path), target)));
}

/** `features/changes` for a feature, the first folder for everything else. */
function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'features' ? `${first}/${second}` : first;
}

test('each folder imports only what lies below it', () => {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  const faults = files.flatMap((file) => {
    const allowed = MAY_IMPORT[file.split('/')[0] ?? ''];
    if (!allowed) return [];
    return importsOf(join(ROOT, file))
      .filter((target) => roomOf(target) !== roomOf(file))
      .filter((target) => !allowed.some((folder) => target === folder || target.startsWith(`${folder}/`)))
      .map((target) => `${file} imports ${target}`);
  });
  expect(faults).toEqual([]);
});
