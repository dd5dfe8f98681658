import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';

const require = createRequire(import.meta.url);
const VIRTUAL = 'virtual:kusto';
const RESOLVED = `\0${VIRTUAL}`;

/**
 * Serves `virtual:kusto`: the two Bridge.NET bundles of `@kusto/language-service-next` as one ES module.
 *
 * They are sloppy-mode global scripts that use `this`, implicit globals and a probe for `require("fs")`. So each is
 * wrapped in a function called with `this = globalThis`, with the names that CommonJS and AMD probes ask for shadowed.
 * The exports have their own names because `export const Kusto` would shadow the global inside the module.
 */
export function kustoBridge(): Plugin {
  return {
    name: 'kusto-bridge',
    resolveId: (source) => (source === VIRTUAL ? RESOLVED : null),
    load(id) {
      if (id !== RESOLVED) return null;
      return [
        asGlobalScript('bridge.min.js'),
        asGlobalScript('Kusto.Language.Bridge.min.js'),
        'const kusto = globalThis.Kusto, bridge = globalThis.Bridge;',
        'export { kusto as Kusto, bridge as Bridge };',
      ].join('\n');
    },
  };
}

function asGlobalScript(file: string): string {
  const source = readFileSync(require.resolve(`@kusto/language-service-next/${file}`), 'utf8');
  return `(function (module, exports, define, require) {\n${source}\n}).call(globalThis);`;
}
