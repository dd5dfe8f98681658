// Every page and state at two widths and in both themes: accessibility, layout, console, and a picture of each.
import assert from 'node:assert/strict';
import { axe, layoutFaults, openBrowser, screenshot } from './browser.mjs';
import { startFixtureServer } from './fixtureServer.mjs';

/** Monaco's inside is the editor's own. */
const EDITOR = [['.monaco-editor']];
const CHART = '.chart svg text';

const VIEWS = [
  { name: 'workspaces', path: '/workspaces', ready: '.grid-row' },
  { name: 'dashboard', path: '/w/prod-eu', ready: '.grid-row', also: CHART },
  { name: 'changes', path: '/w/prod-eu?tab=changes&category=Modified', ready: '.grid-row', also: CHART },
  { name: 'coverage', path: '/w/prod-eu?tab=coverage', ready: '.gap-state.open', also: CHART },
  {
    name: 'drawer',
    path: '/w/prod-eu?tab=changes',
    ready: '.grid-row',
    also: CHART,
    act: openFirst('Modified'),
  },
  { name: 'settings', path: '/w/prod-eu/settings', ready: '.grid-row' },
  { name: 'rule-drawer', path: '/w/prod-eu/settings', ready: '.grid-row', act: openRule },
  {
    name: 'query',
    path: '/w/prod-eu/query',
    ready: '.monaco-editor .view-line',
    also: '.grid-row',
    exclude: EDITOR,
  },
  {
    name: 'query-error',
    path: '/w/prod-eu/query?q=ConfigurationChange%20%7C%20where%20Foo%20%3D%3D%201',
    ready: '.query-error',
    also: '.monaco-editor .view-line',
    exclude: EDITOR,
  },
  { name: 'row-drawer', path: '/w/prod-eu/query', ready: '.grid-row', act: openRow, exclude: EDITOR },
  { name: 'enable', path: '/workspaces', ready: '.grid-row', act: openEnable },
  { name: 'create-workspace', path: '/workspaces', ready: '.grid-row', act: clickButton('Create workspace') },
  { name: 'add-machine', path: '/w/empty', ready: '.state', act: openAddMachine },
  { name: 'not-watched', path: '/w/staging?tab=changes', ready: '.state', also: CHART },
  { name: 'nothing-changed', path: '/w/quiet?tab=changes', ready: '.state.good', also: CHART },
  { name: 'no-gaps', path: '/w/quiet?tab=coverage', ready: '.state.good', also: CHART },
  { name: 'no-machines', path: '/w/empty', ready: '.state' },
  { name: 'forbidden', path: '/w/forbidden', ready: '[role=alert]' },
  { name: 'error', path: '/w/broken', ready: '[role=alert]' },
  { name: 'not-found', path: '/nowhere', ready: '.state' },
];

const VARIANTS = [
  { width: 1440, height: 900, dark: false },
  { width: 400, height: 860, dark: true },
  { width: 1440, height: 900, dark: true },
  { width: 400, height: 860, dark: false },
];

export async function checkPages() {
  const waiting = [...VARIANTS];
  const faults = [];
  // Two at a time, because a browser waits as long as it works.
  const work = async () => {
    for (let variant = waiting.shift(); variant; variant = waiting.shift()) {
      faults.push(...(await checkVariant(variant)));
    }
  };
  await Promise.all([work(), work()]);
  assert.deepEqual([...new Set(faults)], []);
  return (VIEWS.length + 1) * VARIANTS.length;
}

async function checkVariant(variant) {
  const name = `${variant.width}-${variant.dark ? 'dark' : 'light'}`;
  const { base, world, stop } = await startFixtureServer();
  const { page, messages, close } = await openBrowser(variant);
  const faults = [];
  for (const view of VIEWS) faults.push(...(await checkView(page, base, view, name)));
  world.isSignedIn = false;
  faults.push(...(await checkView(page, base, LOGIN, name)));
  faults.push(...messages.map((message) => `${name}: console: ${message}`));
  await close();
  await stop();
  return faults;
}

const LOGIN = { name: 'login', path: '/login', ready: 'form' };

async function checkView(page, base, view, variant) {
  const name = `${view.name}-${variant}`;
  try {
    await page.goto(base + view.path);
    await page.waitForSelector(view.ready, { timeout: 20_000 });
    if (view.also) await page.waitForSelector(view.also, { timeout: 20_000 });
    await view.act?.(page);
    await page.evaluate(() => document.fonts.ready);
    await settle(page);
    await screenshot(page, name);
    const found = [...(await layoutFaults(page)), ...(await axe(page, view.exclude))];
    return found.map((fault) => `${name}: ${fault}`);
  } catch (error) {
    await screenshot(page, `${name}-failed`);
    return [`${name}: ${error.message.split('\n')[0]}`];
  }
}

/** Two frames after the last layout, so that portals and observers have had their turn. */
function settle(page) {
  return page.evaluate(
    () =>
      new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 120))),
      ),
  );
}

function openFirst(category) {
  return async (page) => {
    await page
      .locator('.grid-row', { has: page.locator(`.category.${category}`) })
      .first()
      .click();
    await page.waitForSelector('.attributes');
  };
}

function clickButton(name) {
  return async (page) => {
    await page.getByRole('button', { name, exact: true }).first().click();
    await page.getByRole('dialog').waitFor();
  };
}

async function openRule(page) {
  await page.locator('.grid-row .rule-name').first().click();
  await page.getByRole('dialog').waitFor();
}

async function openRow(page) {
  await page.locator('.query-results .grid-row').first().click();
  await page.waitForSelector('.row-fields');
}

async function openEnable(page) {
  await page.getByRole('button', { name: 'Enable staging' }).click();
  await page.waitForSelector('.recommended li');
}

async function openAddMachine(page) {
  await page.getByRole('button', { name: 'Add a machine…' }).click();
  await page.getByRole('button', { name: 'Create the command' }).click();
  await page.waitForSelector('.command');
}
