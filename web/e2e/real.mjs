// The page against a real server with a real agent.
// BASE: the page's address; CODE: a one-time sign-in code; WATCHED: a directory on the agent's machine.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, giveSessionKey, layoutFaults, openBrowser, screenshot, switchTheme } from './browser.mjs';
import { kqlSteps } from './kql.mjs';
import { runSteps } from './steps.mjs';

const base = process.env.BASE?.replace(/\/+$/, '');
const code = process.env.CODE;
if (!base || !code) {
  console.error('set BASE to the address of the page and CODE to a sign-in code that `steadfast up` printed');
  process.exit(2);
}
const watched = process.env.WATCHED ?? mkdtempSync(join(tmpdir(), 'steadfast-watched-'));
const PASSWORD = 'a sentence for one test run';
const PATIENCE = { timeout: 60_000 };

const browser = await openBrowser();
const { page, context, messages } = browser;
const row = (text) => page.locator('.grid-row', { hasText: text }).first();
let overview = '';

const steps = {
  'the link signs in, and a password is set': async () => {
    await page.goto(`${base}/login#code=${code}`);
    await page.getByRole('heading', { name: 'Set a password' }).waitFor(PATIENCE);
    assert.ok(!page.url().includes(code), page.url());
    await page.getByLabel(/^New password\s*\*?$/).fill(PASSWORD);
    await page.getByLabel('New password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Set password' }).click();
    await row('default').waitFor(PATIENCE);
  },
  'the workspace has its machine': async () => {
    await row('default').click();
    await page.waitForSelector('.summary-kpis', PATIENCE);
    await page.locator('.machine-name').first().waitFor(PATIENCE);
    overview = `${base}${new URL(page.url()).pathname}`;
  },
  'the first baseline ends': async () => {
    await page.waitForFunction(
      () => {
        const line = document.querySelector('.agent-status')?.textContent ?? '';
        return line !== '' && !line.includes('First baseline');
      },
      undefined,
      { timeout: 300_000 },
    );
  },
  'a bad pattern is refused with its place': async () => {
    await page.goto(`${overview}/settings`);
    await row('/etc/crontab').waitFor(PATIENCE);
    await addRule('bad', '/etc/[z-a');
    await page.getByRole('alert').waitFor(PATIENCE);
    await page.getByRole('button', { name: 'Discard' }).click();
  },
  'a rule is added': async () => {
    await addRule('watched-by-test', `${watched}/*`);
    await row('watched-by-test').waitFor(PATIENCE);
  },
  'a new file appears as an added change': async () => {
    await page.goto(`${overview}?tab=changes&q=${encodeURIComponent(watched)}`);
    await page.waitForSelector('.live.open', PATIENCE);
    // A file that is there when the agent first hears of the rule belongs to the rule's baseline; so more are made.
    await untilSeen('.category.Added', (attempt) =>
      writeFileSync(join(watched, `new-${attempt}.conf`), 'first\n'),
    );
  },
  'a changed file waits behind the button and then is listed': async () => {
    const file = await page
      .locator('.grid-row', { has: page.locator('.category.Added') })
      .first()
      .locator('.path')
      .getAttribute('title');
    appendFileSync(file, 'second\n');
    await untilSeen('.category.Modified', () => undefined);
  },
  'the change shows its size before and after': async () => {
    await page
      .locator('.grid-row', { has: page.locator('.category.Modified') })
      .first()
      .click();
    await page.waitForSelector('.attributes tr.changed', PATIENCE);
    const size = page.locator('.attributes tr', { has: page.locator('th', { hasText: /^Size/ }) });
    const [before, after] = await size.locator('td').allTextContents();
    assert.notEqual(before, after);
    await screenshot(page, 'real-drawer');
    await page.keyboard.press('Escape');
  },
  'the file is removed, and so it is listed': async () => {
    const file = await page.locator('.grid-row .path').first().getAttribute('title');
    rmSync(file);
    await untilSeen('.category.Removed', () => undefined);
  },
  'the query of the page finds what its list shows, whatever is searched for': async () => {
    const odd = `it's "100 %" * of \\.conf`;
    // A backslash in a name is shown as two.
    const shown = odd.replace('\\', '\\\\');
    await page.goto(`${overview}?tab=changes&q=${encodeURIComponent(shown)}`);
    await page.waitForSelector('.live.open', PATIENCE);
    await untilSeen('.category.Added', () => writeFileSync(join(watched, odd), 'odd\n'));
    const hour = 3_600_000;
    const ends = [Date.now() - hour, Date.now() + hour].map((time) => new Date(time).toISOString());
    for (const text of [
      shown,
      watched,
      `'`,
      '"',
      '\\',
      '%',
      '*',
      '.conf',
      'x'.repeat(1000),
      `' or true //`,
    ]) {
      const search = new URLSearchParams({ tab: 'changes', range: ends.join('..'), q: text });
      await page.goto(`${overview}?${search}`);
      const found = page.locator('[aria-label=Changes][role=grid]');
      await found.waitFor(PATIENCE);
      const listed = Number(await found.getAttribute('aria-rowcount')) - 1;
      assert.equal(
        listed > 0,
        text.length < 1000 && !text.includes('true'),
        `${text} is found ${listed} times`,
      );
      await page.getByRole('button', { name: 'Query', exact: true }).click();
      const rows = page.locator('.query-results', { hasText: /\d+ rows? ·/ });
      await rows.waitFor(PATIENCE);
      const answered = Number(/([\d,]+) rows?/.exec(await rows.innerText())[1].replaceAll(',', ''));
      assert.equal(answered, listed, text);
    }
    rmSync(join(watched, odd));
  },
  'the time before the first baseline is a gap that has ended': async () => {
    await untilGap('Before the first baseline', 'Ended');
  },
  'a file that cannot be read is a gap until it can be': async () => {
    const locked = join(watched, 'locked.conf');
    writeFileSync(locked, 'nobody may read this\n');
    chmodSync(locked, 0o000);
    await untilGap('locked.conf', 'Open');
    chmodSync(locked, 0o600);
    await untilGap('locked.conf', 'Ended');
    await screenshot(page, 'real-coverage');
  },
};

try {
  const flow = await runSteps(steps);
  const kql = await runSteps(kqlSteps(browser, `${overview}/query`, 'real-kql'));
  const pages = await checkPages();
  assert.deepEqual(messages, []);
  console.log(`web e2e real: ${flow + kql + pages} checks passed`);
} catch (error) {
  await screenshot(page, 'real-failed');
  console.error(`web e2e real: FAILED at ${page.url()}\n${error.stack ?? error}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  if (!process.env.WATCHED) rmSync(watched, { recursive: true, force: true });
}

async function addRule(name, path) {
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByLabel(/^Path\s*\*?$/).fill(path);
  await page.getByRole('button', { name: 'Save' }).click();
}

/** Does `act` again and again until the list shows what it should, taking in new changes as they are offered. */
async function untilSeen(selector, act) {
  const shown = page.locator(`.grid ${selector}`).first();
  const offer = page.getByRole('button', { name: /new changes?: show/ });
  for (let attempt = 0; attempt < 30; attempt += 1) {
    act(attempt);
    await offer
      .or(shown)
      .first()
      .waitFor({ timeout: 3_000 })
      .catch(() => undefined);
    // It goes by itself when the list that was asked for last has what it offers.
    if (await offer.isVisible()) await offer.click({ timeout: 3_000 }).catch(() => undefined);
    if (await shown.isVisible()) return;
  }
  throw new Error(`no row with ${selector} after 30 attempts`);
}

/** Looks at the coverage again and again until a gap with that text is in that state. */
async function untilGap(text, state) {
  const gap = row(text).locator('.gap-state', { hasText: state });
  for (let attempt = 0; attempt < 30; attempt += 1) {
    await page.goto(`${overview}?tab=coverage`);
    const isSeen = await gap.waitFor({ timeout: 2_000 }).then(
      () => true,
      () => false,
    );
    if (isSeen) return;
  }
  throw new Error(`no gap of ${text} is ${state} after 30 looks`);
}

async function checkPages() {
  const cookies = await context.cookies();
  const key = await page.evaluate(() => sessionStorage.getItem('session-key'));
  const places = {
    workspaces: [`${base}/workspaces`, '.grid-row'],
    dashboard: [overview, '.grid-row'],
    changes: [`${overview}?tab=changes`, '.grid-row'],
    coverage: [`${overview}?tab=coverage`, '.grid .state, .grid-row'],
    settings: [`${overview}/settings`, '.grid-row'],
    query: [`${overview}/query`, '.query-results .grid-row'],
  };
  const sizes = [
    { width: 1440, height: 900 },
    { width: 400, height: 860 },
  ];
  const faults = (await Promise.all(sizes.map((size) => checkSize(size, { cookies, key }, places)))).flat();
  assert.deepEqual(faults, []);
  return Object.keys(places).length * 4;
}

async function checkSize(size, { cookies, key }, places) {
  const faults = [];
  const other = await openBrowser(size);
  await other.context.addCookies(cookies);
  await giveSessionKey(other.context, key);
  for (const [name, [address, ready]] of Object.entries(places)) {
    await other.page.goto(address);
    await other.page.waitForSelector(ready, PATIENCE);
    if (['dashboard', 'changes', 'coverage'].includes(name))
      await other.page.waitForSelector('.chart svg text', PATIENCE);
    for (const theme of ['light', 'dark']) {
      const variant = `${name}-${size.width}-${theme}`;
      await switchTheme(other.page, theme);
      await screenshot(other.page, `real-${variant}`);
      const found = [...(await layoutFaults(other.page)), ...(await axe(other.page, [['.monaco-editor']]))];
      faults.push(...found.map((fault) => `${variant}: ${fault}`));
    }
  }
  faults.push(...other.messages.map((message) => `${size.width}: console: ${message}`));
  await other.close();
  return faults;
}
