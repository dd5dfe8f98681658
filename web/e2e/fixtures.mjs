// Data for the states of the page that a real server reaches rarely or slowly. Always the same for the same moment.
const DAY = 86_400_000;
const HOUR = 3_600_000;

/** A repeatable source of numbers between 0 and 1. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const PATHS = [
  '/etc/ssh/sshd_config',
  '/etc/passwd',
  '/etc/sudoers',
  '/usr/bin/sudo',
  '/usr/sbin/sshd',
  '/etc/crontab',
  '/etc/cron.daily/logrotate',
  '/boot/grub/grub.cfg',
  '/etc/nginx.conf',
  '/usr/local/bin/deploy.sh',
  '/etc/init.d/networking',
  '/etc/resolv.conf',
  '/etc/host.conf',
  '/bin/login',
  '/etc/sysctl.conf',
  '/usr/local/lib/python3.13/site-packages/a/very/long/way/down/to/one/module_with_a_long_name.py',
];
const FIELD_SETS = [
  ['FileContentChecksum', 'Size', 'DateModified', 'DateStatusChanged'],
  ['Mode', 'Acls', 'DateStatusChanged'],
  ['DateModified', 'DateStatusChanged'],
  ['Owner', 'Group', 'DateStatusChanged'],
  ['FileContentChecksum', 'DateModified', 'Inode'],
];
const NAMES = ['web-01', 'web-02', 'web-03', 'db-01', 'db-02', 'bastion', 'ci-runner-1', 'mail-01'];
const SYSTEMS = ['Debian GNU/Linux 12', 'Ubuntu 24.04.1 LTS', 'Rocky Linux 9.4'];

export const RECOMMENDED = [
  '/bin/login',
  '/bin/passwd',
  '/etc/*.conf',
  '/usr/bin',
  '/usr/sbin',
  '/bin',
  '/sbin',
  '/boot',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/opt/bin',
  '/opt/sbin',
  '/etc/crontab',
  '/etc/init.d',
  '/etc/cron.hourly',
  '/etc/cron.daily',
  '/etc/cron.weekly',
  '/etc/cron.monthly',
].map((path) => ({ name: path, path }));

export function makeChanges(count, now) {
  const random = randomFrom(42);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const changes = Array.from({ length: count }, (_, index) => {
    const isBurst = random() < 0.25;
    const age = isBurst ? 2.3 * DAY + random() * 3 * HOUR : random() * 7 * DAY;
    const category = random() < 0.62 ? 'Modified' : random() < 0.6 ? 'Added' : 'Removed';
    return {
      id: index.toString(16).padStart(32, '0'),
      time: new Date(now - age).toISOString(),
      machine: `${pick(NAMES)}.example.net`,
      type: 'Files',
      category,
      entity: pick(PATHS),
      kind: 'File',
      fields: category === 'Modified' ? pick(FIELD_SETS) : [],
      rule: '/etc/*.conf',
      source: 'Scan',
    };
  });
  changes.sort((a, b) => b.time.localeCompare(a.time));
  const [newest] = changes;
  const told = [
    {
      entity: '/etc/ssh/sshd_config',
      fields: FIELD_SETS[0],
      who: 'root',
      actor: VIM,
      others: [
        { executable: '/usr/bin/tee', processId: 4702, commandLine: 'tee -a sshd_config', user: 'deploy' },
        { executable: '/bin/sh', processId: 4703, hasOwnView: true },
      ],
      moreOthers: 2,
    },
    {
      entity: '/etc/nginx.conf',
      fields: ['FileSystemPath'],
      who: 'root',
      actor: { executable: '/usr/bin/mv', processId: 70, user: 'root', parents: 'cron' },
      explanation: 'It was moved; it was called /etc/nginx.conf.old before.',
    },
    {
      entity: '/etc/hosts',
      fields: FIELD_SETS[2],
      whoUnknown: 'the process had ended before it could be asked',
    },
    {
      entity: '/etc/cron.daily',
      fields: ['Mode', 'Acls', 'DateStatusChanged'],
      who: 'root',
      kind: 'Directory',
    },
    { entity: '/etc/localtime', fields: ['Target'], who: 'root', kind: 'Symlink' },
  ].map((own, index) => ({
    ...(changes[index] ?? newest),
    category: 'Modified',
    machine: 'web-01.example.net',
    source: 'RealTime',
    ...own,
  }));
  return [...told, ...changes.slice(told.length)];
}

const VIM = {
  executable: '/usr/bin/vim.basic',
  processId: 4711,
  commandLine: 'vim /etc/ssh/sshd_config',
  user: 'root',
  loginUser: 'amira',
  parents: 'sudo < bash < sshd < systemd',
};

/** Changes of each machine that are not of files. */
const OTHERS = { services: 1, software: 2 };

/** Steps of a trend; of those that are null nobody knows. */
export function steps(values) {
  return values.map((changes) => ({ changes: changes ?? 0, watched: changes === null ? 'nothing' : 'all' }));
}

export function makeMachines(changes, now) {
  return NAMES.map((short, index) => {
    const name = `${short}.example.net`;
    const own = changes.filter((change) => change.machine === name);
    const machine = {
      id: `00000000-0000-4000-8000-00000000000${index}`,
      name,
      os: SYSTEMS[index % SYSTEMS.length],
      osKind: 'linux',
      total: own.length + OTHERS.services + OTHERS.software,
      files: own.length,
      registry: 0,
      ...OTHERS,
      lastSeen: new Date(now - 4_000 - index * 5_000).toISOString(),
      status: 'online',
      trend: Array.from({ length: 12 }, (_, step) => {
        const [from, to] = [
          now - 7 * DAY + (step * 7 * DAY) / 12,
          now - 7 * DAY + ((step + 1) * 7 * DAY) / 12,
        ];
        const changes = own.filter(({ time }) => Date.parse(time) >= from && Date.parse(time) < to).length;
        return { changes, watched: 'all' };
      }),
      agentVersion: '0.1.0',
      state: 'idle',
      provider: index % 3 === 2 ? 'scan' : 'fanotify+ebpf',
      spoolRecords: 0,
      openGaps: 0,
    };
    if (short === 'ci-runner-1') {
      return { ...machine, status: 'offline', lastSeen: new Date(now - 5 * DAY).toISOString(), openGaps: 1 };
    }
    if (short === 'db-02') {
      return { ...machine, status: 'stale', lastSeen: new Date(now - 47 * 60_000).toISOString() };
    }
    if (short === 'web-03') {
      const progress = { filesDone: 31_204, filesTotal: 52_331, bytesDone: 1.1e9, bytesTotal: 2.4e9 };
      return { ...machine, state: 'baselining', progress, openGaps: 1 };
    }
    if (short === 'mail-01') return { ...machine, openGaps: 1 };
    return machine;
  });
}

/** What every machine has from its start until its first baseline is complete. */
export function firstLook(machine, now) {
  return {
    machine,
    scope: '*',
    type: '*',
    start: new Date(now - 40_000).toISOString(),
    end: null,
    cause: 'BaselinePending',
    detail: 'there is nothing to compare with before the first look is complete',
    provider: 'scan',
  };
}

/** A machine that is not heard any more. */
export function silence(machine, now, age = 5 * DAY) {
  const start = new Date(now - age).toISOString();
  return {
    machine,
    scope: '*',
    type: '*',
    start,
    end: null,
    cause: 'AgentNotReporting',
    detail: `last heard ${start.replace('Z', '4468Z')}`,
    provider: 'server',
  };
}

export function makeGaps(now) {
  const ago = (millis) => new Date(now - millis).toISOString();
  return [
    firstLook('web-03.example.net', now),
    {
      machine: 'mail-01.example.net',
      scope: '/etc/init.d/exim4',
      type: 'Files',
      start: ago(35 * 60_000),
      end: null,
      cause: 'Unreadable',
      detail: 'cannot open /etc/init.d/exim4: permission denied',
      provider: 'scan',
    },
    {
      machine: 'db-01.example.net',
      scope: '*',
      type: '*',
      start: ago(2 * DAY),
      end: ago(2 * DAY - 11 * 60_000),
      cause: 'AgentStopped',
      detail: 'the agent was stopped',
      provider: 'scan',
    },
    silence('ci-runner-1.example.net', now),
    // The server's side of the stop of db-01.
    {
      ...silence('db-01.example.net', now, 2 * DAY - 4_000),
      end: ago(2 * DAY - 11 * 60_000 - 2_000),
    },
    {
      machine: 'web-02.example.net',
      scope: '/usr/bin',
      type: 'Files',
      start: ago(6 * DAY),
      end: ago(6 * DAY - 40_000),
      cause: 'ScanCutShort',
      detail: 'the scan was stopped after 1,204 of 2,310 files',
      provider: 'scan',
    },
  ];
}

const HASH = {
  before: '5f0c9b1f0a5d4c9f6b1e3d8a7c2f4e6091b3d5f7a9c1e3b5d7f9a1c3e5b7d9f1',
  after: 'a3b1c9d7e5f30b2d4f6a8c0e1d3b5f7092b4d6f8a0c2e4b6d8f0a2c4e6b8d0f2',
};

export function makeDetail(changes, id) {
  const change = changes.find((one) => one.id === id);
  if (!change) return undefined;
  const changed = new Set(change.fields);
  const attribute = (name, field, before, after, mono = true) => ({
    name,
    before: change.category === 'Added' ? null : before,
    after: change.category === 'Removed' ? null : changed.has(field) ? after : before,
    changed: change.category !== 'Modified' || changed.has(field),
    mono,
  });
  const related = changes
    .filter((one) => one.entity === change.entity && one.machine === change.machine && one.id !== id)
    .slice(0, 5);
  const path = attribute('Path', 'FileSystemPath', `${change.entity}.old`, change.entity);
  return {
    ...change,
    attrs: [
      ...(changed.has('FileSystemPath') ? [path] : []),
      attribute('SHA-256', 'FileContentChecksum', HASH.before, HASH.after),
      attribute('Size', 'Size', '3287', '3316', false),
      attribute('Mode', 'Mode', '0644', '0666'),
      attribute('Owner', 'Owner', 'root(0)', 'deploy(1001)', false),
      attribute('Group', 'Group', 'root(0)', 'deploy(1001)', false),
      attribute('ACL', 'Acls', 'user::rw-,group::r--,other::r--', 'user::rw-,group::rw-,other::rw-'),
      attribute(
        'Modified',
        'DateModified',
        '2026-09-14T08:21:07.1120000Z',
        '2026-11-22T14:53:22.9041230Z',
        false,
      ),
      attribute('Inode', 'Inode', '786433', '791102'),
      attribute('Links', 'Links', '1', '1', false),
    ],
    related,
  };
}

/** The text of one file, where a rule has it stored; of the others there is none. */
export function makeContent(changes, id) {
  const change = changes.find((one) => one.id === id);
  if (!change) return undefined;
  const { entity, machine } = change;
  const none = { id, machine, entity, before: 'not-received', after: 'not-text', hunks: [], isCut: false };
  if (entity !== '/etc/ssh/sshd_config') return none;
  const line = (kind, text) => ({ kind, text });
  const lines = [
    line('same', 'Port 22'),
    line('removed', 'PermitRootLogin no'),
    line('added', 'PermitRootLogin yes'),
    line('removed', 'password = [masked:1f2e3d4c]'),
    line('added', 'password = [masked:5b6a7988]'),
    line('same', '<script>document.title = "taken"</script>'),
  ];
  const hunk = { beforeStart: 12, beforeLines: 4, afterStart: 12, afterLines: 4, lines };
  return { ...none, before: 'text', after: 'text', hunks: [hunk] };
}

/** As the server judges it, over machines that were all enrolled at one time. */
function watchedOf(machines, gaps, from, to) {
  const enrolled = machines.length === 0 ? Number.POSITIVE_INFINITY : Date.parse(machines[0].enrolled ?? 0);
  if (to <= enrolled) return 'nothing';
  const overlapping = gaps.filter(
    (gap) => Date.parse(gap.start) < to && Date.parse(gap.end ?? '9999') >= from,
  );
  const isBlind = ({ name }) =>
    overlapping.some(
      (gap) => gap.machine === name && gap.scope === '*' && Date.parse(gap.start) <= from && gap.end === null,
    );
  if (machines.every(isBlind)) return 'nothing';
  if (overlapping.some(({ scope }) => scope === '*') || from < enrolled) return 'part';
  return overlapping.length > 0 ? 'most' : 'all';
}

export function makeSummary({ state, changes, machines, gaps }, from, to) {
  const watched = state === 'enabled' ? machines : [];
  const STEPS = 56;
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const width = (end - start) / STEPS;
  const histogram = Array.from({ length: STEPS }, (_, index) => ({
    t: new Date(start + index * width).toISOString(),
    Modified: 0,
    Added: 0,
    Removed: 0,
    watched: watchedOf(watched, gaps, start + index * width, start + (index + 1) * width),
  }));
  const inside = changes.filter(({ time }) => Date.parse(time) >= start && Date.parse(time) <= end);
  const byCategory = { Modified: 0, Added: 0, Removed: 0 };
  for (const change of inside) {
    byCategory[change.category] += 1;
    const step = Math.min(STEPS - 1, Math.floor((Date.parse(change.time) - start) / width));
    histogram[step][change.category] += 1;
  }
  return {
    machines: machines.length,
    machinesReporting: machines.filter(({ status }) => status === 'online').length,
    total: inside.length,
    previousTotal: Math.round(inside.length * 0.82),
    previousWatched: watchedOf(watched, gaps, start - (end - start), start),
    byType:
      inside.length > 100
        ? { Files: inside.length - 157, Daemons: 23, Software: 134 }
        : { Files: inside.length },
    byCategory,
    histogram,
    stepSeconds: width / 1000,
    openGaps: gaps.filter(({ end: gapEnd }) => gapEnd === null).length,
  };
}

export const SCHEMA = {
  tables: [
    {
      name: 'ConfigurationChange',
      columns: [
        ['TimeGenerated', 'datetime'],
        ['Computer', 'string'],
        ['ConfigChangeType', 'string'],
        ['ChangeCategory', 'string'],
        ['FileSystemPath', 'string'],
        ['FieldsChanged', 'string'],
        ['FileContentChecksum', 'string'],
        ['PreviousFileContentChecksum', 'string'],
        ['Size', 'long'],
        ['PreviousSize', 'long'],
        ['RegistryKey', 'string'],
        ['RuleName', 'string'],
        ['ChangeId', 'string'],
      ].map(([name, type]) => ({ name, type })),
    },
    {
      name: 'Coverage',
      columns: [
        ['TimeGenerated', 'datetime'],
        ['Computer', 'string'],
        ['Scope', 'string'],
        ['StartTime', 'datetime'],
        ['EndTime', 'datetime'],
        ['Cause', 'string'],
      ].map(([name, type]) => ({ name, type })),
    },
    {
      name: 'Heartbeat',
      columns: [
        { name: 'TimeGenerated', type: 'datetime' },
        { name: 'Computer', type: 'string' },
      ],
    },
  ],
};

export const CAPABILITIES = {
  operators: [
    'where',
    'project',
    'extend',
    'summarize',
    'order',
    'sort',
    'take',
    'limit',
    'top',
    'distinct',
    'count',
  ],
  functions: ['ago', 'now', 'bin', 'tolower', 'toupper', 'strlen'],
  aggregates: ['count', 'dcount', 'min', 'max', 'countif', 'arg_max', 'sum'],
};
