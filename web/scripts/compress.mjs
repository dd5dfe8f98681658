// Writes a .br and a .gz beside each built file that shrinks, so the server need not compress at run time.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const root = process.argv[2] ?? 'dist';
const COMPRESSIBLE = /\.(js|css|html|svg|json|ttf)$/;
// index.html carries a placeholder for the response's nonce, so the server fills it before it is sent.
const PER_RESPONSE = 'index.html';

const brotli = promisify(brotliCompress);
const gz = promisify(gzip);

async function compress(path) {
  const raw = readFileSync(path);
  const [br, zipped] = await Promise.all([
    brotli(raw, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
    }),
    gz(raw, { level: 9 }),
  ]);
  writeFileSync(`${path}.br`, br);
  writeFileSync(`${path}.gz`, zipped);
  return { raw: raw.length, br: br.length, gz: zipped.length };
}

const files = readdirSync(root, { recursive: true })
  .map((name) => join(root, name))
  .filter((path) => statSync(path).isFile() && COMPRESSIBLE.test(path) && !path.endsWith(PER_RESPONSE));
const sizes = await Promise.all(files.map(compress));
const sum = (key) => Math.round(sizes.reduce((total, size) => total + size[key], 0) / 1024);
console.log(`compressed ${files.length} files: ${sum('raw')} kB → ${sum('br')} kB br, ${sum('gz')} kB gz`);
