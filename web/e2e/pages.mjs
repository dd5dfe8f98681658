// Every page and state at two widths and in both themes: accessibility, layout, console, and a picture of each.
import assert from 'node:assert/strict';
import { axe, giveSessionKey, layoutFaults, openBrowser, screenshot, switchTheme } from './browser.mjs';
import { SESSION_KEY, startFixtureServer } from './fixtureServer.mjs';

/** Monaco's inside is the editor's own. */
const EDITOR = [['.monaco-editor']];
const CHART = '.chart svg text';

const TIMECHART =
  'ConfigurationChange | summarize count() by bin(TimeGenerated, 6h), ChangeCategory | render timechart';

const VIEWS = [
  { name: 'workspaces', path: '/workspaces', ready: '.grid-row' },
  { name: 'dashboard', path: '/w/prod-eu', ready: '.grid-row', also: CHART },
  { name: 'changes', path: '/w/prod-eu?tab=changes&category=Modified', ready: '.grid-row', also: CHART },
  { name: 'coverage', path: '/w/prod-eu?tab=coverage', ready: '.gap-state.open', also: CHART },
  {
    name: 'gap-drawer',
    path: '/w/prod-eu?tab=coverage',
    ready: '.gap-state.open',
    also: CHART,
    act: openGap,
  },
  {
    name: 'drawer',
    path: '/w/prod-eu?tab=changes',
    ready: '.grid-row',
    also: CHART,
    act: openFirst('Modified'),
  },
  {
    name: 'drawer-text',
    path: '/w/prod-eu?tab=changes&q=sshd_config',
    ready: '.grid-row',
    also: CHART,
    act: openText,
  },
  { name: 'settings', path: '/w/prod-eu/settings', ready: '.grid-row' },
  { name: 'rule-warnings', path: '/w/prod-eu/settings', ready: '.grid-row', act: saveDoubtfulRule },
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
  {
    name: 'query-chart',
    path: `/w/prod-eu/query?q=${encodeURIComponent(TIMECHART)}`,
    ready: '.monaco-editor .view-line',
    also: '.query-results .chart svg text',
    exclude: EDITOR,
  },
  { name: 'row-drawer', path: '/w/prod-eu/query', ready: '.grid-row', act: openRow, exclude: EDITOR },
  { name: 'enable', path: '/workspaces', ready: '.grid-row', act: openEnable },
  { name: 'create-workspace', path: '/workspaces', ready: '.grid-row', act: clickButton('Create workspace') },
  { name: 'add-machine', path: '/w/empty', ready: '.state', act: openAddMachine },
  {
    name: 'password',
    path: '/workspaces',
    ready: '.grid-row',
    act: openFromMenu('Account of admin', 'Change password…'),
  },
  {
    name: 'custom-range',
    path: '/w/prod-eu',
    ready: '.grid-row',
    also: CHART,
    act: openFromMenu('Time range: Last 7 days', 'Custom range…'),
  },
  {
    name: 'disable',
    path: '/w/prod-eu',
    ready: '.grid-row',
    also: CHART,
    act: openFromMenu('More actions', 'Disable monitoring…'),
  },
  {
    name: 'delete-rule',
    path: '/w/prod-eu/settings',
    ready: '.grid-row',
    act: openFromMenu(/^Actions for rule /, 'Delete…'),
  },
  {
    name: 'remove-machine',
    path: '/w/prod-eu',
    ready: '.grid-row',
    also: CHART,
    act: openFromMenu(/^Actions for /, 'Remove…'),
  },
  { name: 'discard-rule', path: '/w/prod-eu/settings', ready: '.grid-row', act: openDiscard },
  { name: 'not-watched', path: '/w/staging?tab=changes', ready: '.state', also: CHART },
  { name: 'nothing-changed', path: '/w/quiet?tab=changes', ready: '.state.good', also: CHART },
  { name: 'no-gaps', path: '/w/quiet?tab=coverage', ready: '.state.good', also: CHART },
  { name: 'first-baseline', path: '/w/fresh', ready: '.grid-row', also: CHART },
  { name: 'first-baseline-gap', path: '/w/fresh?tab=coverage', ready: '.gap-state.busy', also: CHART },
  { name: 'no-machines', path: '/w/empty', ready: '.state' },
  { name: 'forbidden', path: '/w/forbidden', ready: '[role=alert]' },
  { name: 'error', path: '/w/broken', ready: '[role=alert]' },
  { name: 'not-found', path: '/nowhere', ready: '.state' },
];

const SIZES = [
  { width: 1440, height: 900 },
  { width: 400, height: 860 },
];

export async function checkPages() {
  // Side by side, because a browser waits as long as it works.
  const faults = await Promise.all(SIZES.map(checkSize));
  assert.deepEqual([...new Set(faults.flat())], []);
  return (VIEWS.length + SIGNED_OUT.length) * SIZES.length * 2;
}

async function checkSize(size) {
  const { base, world, stop } = await startFixtureServer();
  const { context, page, messages, close } = await openBrowser(size);
  await giveSessionKey(context, SESSION_KEY);
  const faults = [];
  let themes = ['light', 'dark'];
  for (const view of [...VIEWS, ...SIGNED_OUT]) {
    world.isSignedIn = VIEWS.includes(view);
    faults.push(...(await checkView(page, base, view, size.width, themes)));
    // The next view is loaded in the theme that this one ended in, so each theme is started in and switched to.
    themes = themes.toReversed();
  }
  faults.push(...messages.map((message) => `${size.width}: console: ${message}`));
  await close();
  await stop();
  return faults;
}

/** What is seen on the way in. */
const SIGNED_OUT = [
  { name: 'login', path: '/login', ready: 'form' },
  { name: 'old-link', path: '/login#code=USED', ready: '[role=alert] code' },
  { name: 'set-password', path: '/login#code=GOOD', ready: 'h1:has-text("Set a password")' },
];

/** Loads a view once and looks at it in one theme after the other. */
async function checkView(page, base, view, width, themes) {
  const faults = [];
  try {
    await page.goto(base + view.path);
    await page.waitForSelector(view.ready, { timeout: 20_000 });
    if (view.also) await page.waitForSelector(view.also, { timeout: 20_000 });
    await view.act?.(page);
    await page.evaluate(() => document.fonts.ready);
    for (const theme of themes) {
      const name = `${view.name}-${width}-${theme}`;
      await switchTheme(page, theme);
      await settle(page);
      await screenshot(page, name);
      const found = [...(await layoutFaults(page)), ...(await axe(page, view.exclude))];
      faults.push(...found.map((fault) => `${name}: ${fault}`));
    }
  } catch (error) {
    const name = `${view.name}-${width}`;
    await screenshot(page, `${name}-failed`);
    faults.push(`${name}: ${error.message.split('\n')[0]}`);
  }
  return faults;
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

async function openText(page) {
  await page.locator('.grid-row', { hasText: 'sshd_config' }).first().click();
  await page.getByRole('tab', { name: 'Text' }).click();
  await page.waitForSelector('.content-diff tr.added');
}

function clickButton(name) {
  return async (page) => {
    await page.getByRole('button', { name, exact: true }).first().click();
    await page.getByRole('dialog').waitFor();
  };
}

async function openGap(page) {
  await page
    .locator('.grid-row', { has: page.locator('.gap-state.open') })
    .last()
    .click();
  await page.waitForSelector('.gap-fields');
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

function openFromMenu(button, item) {
  return async (page) => {
    await page.getByRole('button', { name: button }).first().click();
    await page.getByRole('menuitem', { name: item }).click();
    await page.locator('[role=dialog], [role=alertdialog]').waitFor();
  };
}

async function saveDoubtfulRule(page) {
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByLabel(/^Name\s*\*?$/).fill('all');
  await page.getByLabel(/^Path\s*\*?$/).fill('/**');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('“all” is saved.').waitFor();
}

async function openDiscard(page) {
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('half a name');
  await page.keyboard.press('Escape');
  await page.getByRole('alertdialog').waitFor();
}
