// Runs the built page against the fixture server. `npm run e2e -- pages` runs only the named part.

import { checkDoubts } from './doubts.mjs';
import { startFixtureServer } from './fixtureServer.mjs';
import { checkFlows } from './flows.mjs';
import { checkKeyboard } from './keyboard.mjs';
import { checkKql } from './kql.mjs';
import { checkPages } from './pages.mjs';

const PARTS = {
  doubts: checkDoubts,
  flows: checkFlows,
  keyboard: checkKeyboard,
  kql: checkKql,
  pages: checkPages,
};
const wanted = process.argv.slice(2);
let failed = 0;

for (const [name, check] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const server = await startFixtureServer();
  const start = Date.now();
  try {
    const count = await check(server);
    console.log(`web e2e ${name}: ${count} checks passed in ${Math.round((Date.now() - start) / 1000)} s`);
  } catch (error) {
    failed += 1;
    console.error(`web e2e ${name}: FAILED\n${error.stack ?? error}`);
  } finally {
    await server.stop();
  }
}
process.exit(failed === 0 ? 0 : 1);
