// Fails if a package that ends in the built page has a licence that is not on the list below.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PERMISSIVE = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Zlib',
  'Unlicense',
]);
const FONT = /^node_modules\/@fontsource/;

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const lock = JSON.parse(readFileSync(at('../package-lock.json'), 'utf8'));

/** The alternatives of an SPDX expression such as `(MPL-2.0 OR Apache-2.0)`. */
const alternatives = (expression) => expression.replace(/[()]/g, '').split(/\s+OR\s+/);

function isAllowed(path, licence) {
  if (FONT.test(path) && licence === 'OFL-1.1') return true;
  return alternatives(licence).some((one) => one.split(/\s+AND\s+/).every((id) => PERMISSIVE.has(id)));
}

function licenceOf(path, entry) {
  if (entry.license) return entry.license;
  return JSON.parse(readFileSync(at(`../${path}/package.json`), 'utf8')).license ?? 'unknown';
}

const shipped = Object.entries(lock.packages).filter(
  ([path, entry]) => path && !entry.dev && !entry.optional,
);
const refused = shipped
  .map(([path, entry]) => [path, licenceOf(path, entry)])
  .filter(([path, licence]) => !isAllowed(path, licence));
const hosts = Object.entries(lock.packages).filter(
  ([, entry]) => entry.resolved && !entry.resolved.startsWith('https://registry.npmjs.org/'),
);

for (const [path, licence] of refused) console.error(`${path}: licence ${licence} is not on the list`);
for (const [path, entry] of hosts) console.error(`${path}: resolved from ${entry.resolved}`);
if (refused.length || hosts.length) process.exit(1);
console.log(`licences: ${shipped.length} packages checked, all permissive`);
