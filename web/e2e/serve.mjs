// Serves the built page over fixtures until it is stopped, to look at states by hand.
import { startFixtureServer } from './fixtureServer.mjs';

const { base } = await startFixtureServer();
console.log(`${base}/workspaces`);
