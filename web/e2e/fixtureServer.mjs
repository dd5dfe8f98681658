// A small server in memory: the built page under the policy that the real server sends, and the API over fixtures.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import {
  CAPABILITIES,
  firstLook,
  makeChanges,
  makeContent,
  makeDetail,
  makeGaps,
  makeMachines,
  makeSummary,
  RECOMMENDED,
  SCHEMA,
  silence,
  steps,
} from './fixtures.mjs';

const DIST = process.env.DIST ?? new URL('../dist/', import.meta.url).pathname;
const TYPES = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
};

export function policy(nonce) {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    `style-src-elem 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');
}

/** What signing in answers with, and every call sends. */
export const SESSION_KEY = 'the key of the session';

/** Starts on a free port. `world` may be changed by a test while the server runs. */
export async function startFixtureServer() {
  const world = makeWorld();
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://fixture');
    if (url.pathname.startsWith('/api/v1/')) void answerApi(world, request, response, url);
    else answerFile(response, url.pathname);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  const stop = () => {
    for (const stream of world.streams) stream.end();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { base, world, stop };
}

function makeWorld() {
  const now = Date.now();
  const changes = makeChanges(1284, now);
  const many = makeChanges(5000, now);
  const machines = makeMachines(changes, now);
  const gaps = makeGaps(now);
  const workspace = (id, state, count, extra = {}) => ({
    id,
    name: id,
    changesLastWeek: state === 'enabled' ? count : null,
    trend: steps([12, 30, 18, 44, 300, 25, 40]),
    machines: 8,
    windows: 0,
    linux: 8,
    machinesReporting: 8,
    openGaps: 0,
    pendingBaselines: 0,
    location: 'Frankfurt',
    subscription: 'Production',
    dcrImmutableId: 'dcr-00000000000040008000000000000001',
    state,
    ...extra,
  });
  const place = (state, data = {}) => ({ state, changes: [], machines: [], gaps: [], ...data });
  return {
    isSignedIn: true,
    mustSetPassword: false,
    roles: ['owner'],
    now,
    streams: new Set(),
    workspaces: [
      workspace('prod-eu', 'enabled', 1284, {
        machinesReporting: machines.filter(({ status }) => status === 'online').length,
        openGaps: gaps.filter(({ end }) => end === null).length,
      }),
      workspace('payments', 'enabled', 9, {
        machines: 4,
        linux: 4,
        machinesReporting: 4,
        trend: steps([1, 0, 2, 0, 3, 2, 1]),
        location: 'Zürich',
      }),
      workspace('quiet', 'enabled', 0, {
        machines: 1,
        linux: 1,
        machinesReporting: 1,
        trend: steps([0, 0, 0, 0, 0, 0, 0]),
        location: 'Bern',
      }),
      // Its machines were watched until the day before yesterday.
      workspace('silent', 'enabled', 31, {
        machines: 2,
        linux: 2,
        machinesReporting: 0,
        openGaps: 2,
        trend: steps([4, 9, 2, 11, 5, null, null]),
        location: 'Bern',
      }),
      workspace('large', 'enabled', 5000, { location: 'Dublin' }),
      workspace('staging', 'disabled', null, {
        machines: 3,
        linux: 3,
        machinesReporting: 3,
        subscription: 'Test',
      }),
      workspace('fresh', 'enabled', 0, {
        machines: 1,
        linux: 1,
        machinesReporting: 1,
        openGaps: 1,
        pendingBaselines: 1,
        trend: steps([null, null, null, null, null, null, 0]),
        subscription: 'Test',
      }),
      workspace('empty', 'enabled', 0, {
        machines: 0,
        linux: 0,
        machinesReporting: 0,
        trend: steps(Array(7).fill(null)),
        subscription: 'Test',
      }),
    ],
    places: {
      'prod-eu': place('enabled', { changes, machines, gaps }),
      // Enrolled in the middle of the week.
      payments: place('enabled', {
        changes: changes.filter(({ time }) => Date.parse(time) > now - 2 * 86_400_000).slice(0, 9),
        machines: machines.slice(0, 4).map((machine) => ({
          ...machine,
          trend: machine.trend.map((step, index) => (index < 7 ? { changes: 0, watched: 'nothing' } : step)),
          enrolled: new Date(now - 3 * 86_400_000).toISOString(),
        })),
      }),
      quiet: place('enabled', {
        machines: [
          { ...machines[0], total: 0, files: 0, services: 0, software: 0, trend: steps(Array(12).fill(0)) },
        ],
      }),
      silent: place('enabled', {
        machines: machines.slice(0, 2).map((machine) => ({ ...machine, status: 'offline', openGaps: 1 })),
        gaps: machines.slice(0, 2).map(({ name }) => silence(name, now)),
      }),
      large: place('enabled', { changes: many, machines }),
      staging: place('disabled', { machines: machines.slice(0, 3) }),
      fresh: place('enabled', {
        machines: [
          {
            ...machines[2],
            total: 0,
            files: 0,
            services: 0,
            software: 0,
            trend: steps(Array(12).fill(0)),
            enrolled: new Date(now - 40_000).toISOString(),
          },
        ],
        gaps: [firstLook(machines[2].name, now)],
      }),
      empty: place('enabled'),
    },
    rules: RECOMMENDED.map(({ name, path }) => ({
      name,
      group: 'Recommended',
      type: 'linux-file',
      path,
      exclude: [],
      recurse: !path.includes('*'),
      links: 'follow',
      pathType: 'any',
      enabled: true,
    })),
    calls: [],
  };
}

function answerFile(response, pathname) {
  const nonce = randomBytes(16).toString('base64');
  const asked = join(DIST, pathname);
  const isAsset = extname(pathname) !== '' && existsSync(asked);
  const path = isAsset ? asked : join(DIST, 'index.html');
  const encoded = isAsset && existsSync(`${path}.br`) ? `${path}.br` : path;
  response.writeHead(200, {
    'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
    'content-security-policy': policy(nonce),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': isAsset ? 'public, max-age=31536000, immutable' : 'no-store',
    ...(encoded === path ? {} : { 'content-encoding': 'br' }),
  });
  const body = readFileSync(encoded);
  response.end(isAsset ? body : body.toString('utf8').replaceAll('__CSP_NONCE__', nonce));
}

async function answerApi(world, request, response, url) {
  const path = url.pathname.slice('/api/v1'.length);
  const body = await readBody(request);
  world.calls.push({ method: request.method, path, body, key: request.headers['steadfast-session-key'] });
  const send = (status, value) => {
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(status, { 'content-type': type, 'content-security-policy': policy('none') });
    response.end(value === undefined ? undefined : JSON.stringify(value));
  };
  const problem = (status, title, detail, extra = {}) =>
    send(status, { type: 'about:blank', title, status, detail, requestId: 'req-7f3a', ...extra });
  const tools = { world, request, response, url, path, body, send, problem };

  if (path.startsWith('/session')) return answerSession(tools);
  if (!isSignedIn(world, request)) return problem(401, 'Signed out', 'Sign in first.');
  if (path === '/users/me/password') {
    world.mustSetPassword = false;
    return send(204);
  }
  if (path === '/workspaces' && request.method === 'POST') return createWorkspace(tools);
  if (path === '/workspaces') return send(200, world.workspaces);
  if (path === '/fim/recommended') {
    return send(200, { groups: [{ type: 'linux-file', title: 'Linux files', items: RECOMMENDED }] });
  }
  if (path === '/query/schema') return send(200, SCHEMA);
  if (path === '/query/capabilities') return send(200, CAPABILITIES);
  if (path === '/query/validate') return send(200, { diagnostics: diagnosticsOf(body.query) });
  return answerWorkspace(tools);
}

function answerSession({ world, request, path, body, send, problem }) {
  const session = () => ({
    user: { name: 'admin' },
    roles: world.roles,
    mustSetPassword: world.mustSetPassword,
    asksCurrentPassword: !world.mustSetPassword,
  });
  if (request.method === 'GET')
    return isSignedIn(world, request) ? send(200, session()) : problem(401, 'Signed out', 'No session.');
  if (request.method === 'DELETE') {
    world.isSignedIn = false;
    return send(204);
  }
  const isGood = path === '/session/one-time' ? body.code === 'GOOD' : body.password === 'correct horse';
  if (!isGood) {
    const why =
      path === '/session/one-time'
        ? "the sign-in link has been used or is older than ten minutes; `steadfast sign-in` on the server's machine prints a new one"
        : 'the name or the password is wrong';
    return problem(401, 'Not signed in', why);
  }
  world.isSignedIn = true;
  world.mustSetPassword = path === '/session/one-time';
  return send(200, { sessionKey: SESSION_KEY, ...session() });
}

/** As the real server, which takes no cookie without the key. */
function isSignedIn(world, request) {
  return world.isSignedIn && request.headers['steadfast-session-key'] === SESSION_KEY;
}

function createWorkspace({ world, body, send, problem }) {
  if (world.workspaces.some(({ name }) => name === body.name)) {
    return problem(409, 'Name taken', `There is a workspace named ${body.name} already.`);
  }
  const made = { ...world.workspaces.at(-1), id: body.name, name: body.name };
  world.workspaces.push(made);
  world.places[body.name] = { state: 'enabled', changes: [], machines: [], gaps: [] };
  return send(201, made);
}

function answerWorkspace(tools) {
  const { world, path, send, problem } = tools;
  const [, , ws, noun, ...rest] = path.split('/').map(decodeURIComponent);
  if (ws === 'forbidden') {
    return problem(403, 'Forbidden', 'You need the reader role on the workspace forbidden.');
  }
  if (ws === 'broken')
    return problem(500, 'Internal error', 'The store cannot be read: no space left on device.');
  const place = world.places[ws];
  if (!place)
    return problem(
      404,
      'No such workspace',
      `there is no workspace "${ws}"; \`steadfast workspace list\` shows the workspaces`,
    );
  const from = tools.url.searchParams.get('from');
  const to = tools.url.searchParams.get('to');
  switch (noun) {
    case undefined:
      return send(
        200,
        world.workspaces.find(({ id }) => id === ws),
      );
    case 'summary':
      return send(200, makeSummary(place, from, to));
    case 'machines':
      return send(200, place.machines);
    case 'coverage':
      return send(200, place.gaps);
    case 'changes':
      return answerChanges(tools, place, ...rest);
    case 'rules':
      return answerRules(tools, rest);
    case 'fim':
      return answerFim(tools, ws, place, rest[0]);
    case 'query':
    case 'query.csv':
    case 'query.ndjson':
    case 'query.parquet':
    case 'query.arrow':
      return answerQuery(tools, place, noun);
    case 'enrollment-tokens':
      return send(200, {
        token: 'ste_example',
        expiresAt: new Date(world.now + 3_600_000).toISOString(),
        caFingerprint: 'ab'.repeat(32),
        command: `steadfast-agent enroll --server ${ws === 'empty' ? 'https://127.0.0.1:8443' : 'https://fim.example.net:8443'} --ca-fingerprint ${'ab'.repeat(32)} --token-file -`,
      });
    default:
      return problem(404, 'Not found', `There is no ${noun}.`);
  }
}

function answerChanges({ world, response, url, send, problem }, place, id, part) {
  if (id === 'stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.write(': here\n\n');
    world.streams.add(response);
    response.on('close', () => world.streams.delete(response));
    return;
  }
  if (part === 'content') {
    if (!world.roles.includes('owner')) {
      return problem(403, 'Forbidden', 'You need the owner role to view file content.');
    }
    return send(200, makeContent(place.changes, id));
  }
  if (id !== undefined) {
    const detail = makeDetail(place.changes, id);
    return detail ? send(200, detail) : problem(404, 'No such change', 'It may be older than the retention.');
  }
  const get = (name) => url.searchParams.get(name);
  const text = get('q')?.toLowerCase();
  const found = place.changes.filter(
    (change) =>
      change.time >= get('from') &&
      change.time <= get('to') &&
      (!text || `${change.entity} ${change.machine}`.toLowerCase().includes(text)) &&
      ['type', 'category', 'machine'].every((name) => !get(name) || change[name] === get(name)),
  );
  const start = Number(get('cursor') ?? 0);
  const end = start + Number(get('limit') ?? 100);
  return send(200, {
    items: found.slice(start, end),
    total: found.length,
    next: end < found.length ? String(end) : null,
  });
}

function answerRules({ world, request, body, send, problem }, [name, verb]) {
  const rule = world.rules.find((one) => one.name === name);
  if (name === undefined) {
    if (request.method === 'GET') return send(200, world.rules);
    if (body.path.includes('[')) {
      return problem(
        400,
        'Bad pattern',
        'The pattern "/etc/[a" has an open bracket at character 6: close it with "]".',
      );
    }
    world.rules.push(body);
    return send(201, { ...body, warnings: warningsOf(body) });
  }
  if (!rule) return problem(404, 'No such rule', `There is no rule ${name}.`);
  if (verb) rule.enabled = verb === 'enable';
  else if (request.method === 'PATCH') Object.assign(rule, body);
  else if (request.method === 'DELETE') {
    world.rules = world.rules.filter((one) => one !== rule);
    return send(204);
  }
  return send(200, { ...rule, warnings: warningsOf(rule) });
}

function warningsOf({ path }) {
  return path === '/**'
    ? ['the path `/**` takes in so much that changes will be many: name a folder below it']
    : [];
}

function recommendedAmong(rules) {
  const ruleOf = ({ name }) => rules.find((rule) => rule.name === name);
  const isChanged = (item) => ruleOf(item) && ruleOf(item).path !== item.path;
  return {
    enabled: RECOMMENDED.filter((item) => ruleOf(item)?.enabled && !isChanged(item)).length,
    total: RECOMMENDED.length,
    missing: RECOMMENDED.filter((item) => !ruleOf(item)).map(({ name }) => name),
    changed: RECOMMENDED.filter(isChanged).map(({ name }) => name),
  };
}

function answerFim({ world, send }, ws, place, verb) {
  if (verb) {
    place.state = verb === 'enable' ? 'enabled' : 'disabled';
    Object.assign(
      world.workspaces.find(({ id }) => id === ws),
      { state: place.state, changesLastWeek: verb === 'enable' ? 0 : null },
    );
  }
  return send(200, {
    state: place.state,
    solution: place.state === 'enabled' ? 'ChangeTracking' : null,
    rules: { enabled: world.rules.filter(({ enabled }) => enabled).length, total: world.rules.length },
    recommended: recommendedAmong(world.rules),
    machines: place.machines.length,
    scanIntervalSeconds: 900,
    collection: { daemonsSeconds: 300, softwareSeconds: null, inventorySeconds: 36_000 },
  });
}

function answerQuery({ body, response, send, problem }, place, noun) {
  const diagnostics = diagnosticsOf(body.query);
  if (diagnostics.length > 0) {
    return problem(400, 'The query has a mistake', diagnostics[0].message, { diagnostics });
  }
  if (noun.startsWith('query.')) {
    const isCut = body.query.includes("'Removed'");
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'steadfast-truncated': String(isCut),
    });
    return response.end('\ufeffComputer,count_\r\nweb-01,1\r\n');
  }
  if (/bin\(TimeGenerated/.test(body.query)) return send(200, countByTime(place));
  return send(200, /summarize/.test(body.query) ? countByMachine(place) : changeRows(place));
}

function countByMachine(place) {
  const counts = new Map();
  for (const { machine, type } of place.changes) {
    const key = `${machine}|${type}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return result(
    [
      ['Computer', 'string'],
      ['ConfigChangeType', 'string'],
      ['count_', 'long'],
    ],
    [...counts].map(([key, count]) => [...key.split('|'), count]),
  );
}

function countByTime(place) {
  const STEP = 6 * 3_600_000;
  const counts = new Map();
  for (const { time, category } of place.changes) {
    const step = new Date(Math.floor(Date.parse(time) / STEP) * STEP).toISOString();
    counts.set(`${step}|${category}`, (counts.get(`${step}|${category}`) ?? 0) + 1);
  }
  return result(
    [
      ['TimeGenerated', 'datetime'],
      ['ChangeCategory', 'string'],
      ['count_', 'long'],
    ],
    [...counts].map(([key, count]) => [...key.split('|'), count]),
  );
}

function changeRows(place) {
  const wide = [
    ['TimeGenerated', 'datetime'],
    ['Computer', 'string'],
    ['ConfigChangeType', 'string'],
    ['ChangeCategory', 'string'],
    ['FileSystemPath', 'string'],
    ['FieldsChanged', 'string'],
    ['Size', 'long'],
    ['ChangeId', 'string'],
    ...Array.from({ length: 10 }, (_, index) => [`Empty${index}`, 'string']),
  ];
  return result(
    wide,
    place.changes.map((change, index) => [
      change.time,
      change.machine,
      change.type,
      change.category,
      change.entity,
      change.fields.join(', '),
      1048 + ((index * 37) % 900),
      change.id,
      ...Array(10).fill(''),
    ]),
  );
}

function result(columns, rows) {
  return {
    columns: columns.map(([name, type]) => ({ name, type })),
    rows,
    stats: { rows: rows.length, elapsedMs: 38, scannedRows: 8988 },
    truncated: false,
  };
}

/** One mistake that the language service in the page does not know of, and one that both know. */
function diagnosticsOf(query) {
  const found = [];
  for (const [word, message, suggestion] of [
    ['Foo', 'there is no column Foo in ConfigurationChange', null],
    ['mv-expand', 'the operator mv-expand is not supported', null],
  ]) {
    const lines = query.split('\n');
    const line = lines.findIndex((text) => text.includes(word));
    if (line < 0) continue;
    const column = lines[line].indexOf(word) + 1;
    const place = { line: line + 1, column, endLine: line + 1, endColumn: column + word.length };
    found.push({ code: 'KQL101', message, ...place, expected: [], suggestion });
  }
  return found;
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text ? JSON.parse(text) : undefined;
}

/** Sends a change to every page that listens, and puts it into the list. */
export function announce(world, ws, patch) {
  const [newest] = world.places[ws].changes;
  const id = (world.places[ws].changes.length + 0xf0000).toString(16).padStart(32, '0');
  const change = { ...newest, id, time: new Date().toISOString(), fields: ['Size'], ...patch };
  world.places[ws].changes.unshift(change);
  for (const stream of world.streams) stream.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`);
  return change;
}
