// Writes src/api/schema.d.ts from the server's OpenAPI document; with --check only tells whether it is fresh.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const source = at('../../openapi/fim.json');
const target = at('../src/api/schema.d.ts');

const document = JSON.parse(readFileSync(source, 'utf8'));
const header = '// Generated from openapi/fim.json by `npm run gen`. Do not edit.\n';
const text = header + astToString(await openapiTS(document, { alphabetize: true }));

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error(
    'src/api/schema.d.ts does not match openapi/fim.json: run `npm run gen` and commit the result',
  );
  process.exit(1);
}
