// The whole way by keyboard alone: nothing in here touches a pointer.
import assert from 'node:assert/strict';
import { addressOf, openBrowser } from './browser.mjs';
import { runSteps } from './steps.mjs';

/** Waking the language service is seconds of work on a busy machine. */
const PATIENCE = { timeout: 90_000 };
/** More stops than any page has before what a step looks for. */
const MOST_STOPS = 90;

export async function checkKeyboard({ base, world }) {
  const browser = await openBrowser();
  const { page, messages } = browser;
  const { parameter, untilParameter, untilPath } = addressOf(page);
  const press = (...keys) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const type = (text) => page.keyboard.type(text);
  /** What the element that has the focus is called. */
  const focused = () => page.evaluate(nameOfFocus);
  const untilFocus = async (wanted) => {
    for (let frame = 0; frame < 300 && !wanted.test(await focused()); frame += 1)
      await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.match(await focused(), wanted);
  };
  /** Presses Tab until what is called so has the focus, and fails with what was passed if it is never reached. */
  const tabTo = async (wanted, key = 'Tab') => {
    const passed = [];
    for (let stop = 0; stop < MOST_STOPS; stop += 1) {
      const name = await focused();
      if (wanted.test(name)) return;
      passed.push(name);
      await press(key);
    }
    assert.fail(`${key} never reaches ${wanted}; it passes ${passed.join(' · ')}`);
  };

  const count = await runSteps({
    'signing in says what is missing, and lets in': async () => {
      world.isSignedIn = false;
      await page.goto(`${base}/workspaces`);
      await untilPath('/login');
      await untilFocus(/^Name/);
      await press('Enter');
      await page.getByText('Type your name.').waitFor();
      await untilFocus(/^Name/);
      await type('admin');
      await press('Enter');
      await page.getByText('Type your password.').waitFor();
      await untilFocus(/^Password/);
      await type('correct horse');
      await press('Enter');
      await untilPath('/workspaces');
    },
    'a password is set after it was said what is missing': async () => {
      await tabTo(/^Account of admin$/);
      await press('Enter');
      await untilFocus(/password…$/);
      await press('Enter');
      await untilFocus(/^Current password/);
      await tabTo(/^Set password$/);
      await press('Enter');
      await page.getByText('Type the password that you have now.').waitFor();
      await page.getByText('Type a password of at least 10 characters.').waitFor();
      await untilFocus(/^Current password/);
      await type('correct horse');
      await press('Tab');
      await type('a long sentence');
      await press('Enter');
      await page.getByText('Type the new password once more.').waitFor();
      await untilFocus(/^New password again/);
      await type('a long sentence');
      await press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await untilFocus(/^Account of admin$/);
    },
    'a workspace is opened from the list': async () => {
      await tabTo(/^Workspaces grid$/);
      await press('Home', 'Enter');
      await untilPath('/w/prod-eu');
      await page.locator('.grid-row').first().waitFor();
    },
    'the period is chosen, and the focus stays where it was': async () => {
      await tabTo(/^Time range: Last 7 days$/);
      await press('Enter');
      await untilFocus(/^Last /);
      await tabTo(/^Last 14 days$/, 'ArrowDown');
      await press('Enter');
      await untilParameter('range', (range) => range === '14d');
      await untilFocus(/^Time range: Last 14 days$/);
    },
    'a part of the chart is looked at by its ends': async () => {
      await press('Enter');
      await untilFocus(/^Last /);
      await tabTo(/^Custom range…$/, 'ArrowDown');
      await press('Enter');
      await page.getByRole('dialog').waitFor();
      await tabTo(/^Apply$/);
      await press('Enter');
      await untilParameter('range', (range) => range?.includes('..'));
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await untilFocus(/^Time range: /);
    },
    'the tabs are walked by arrows': async () => {
      await tabTo(/^Servers/);
      await press('ArrowRight');
      await untilFocus(/^Changes/);
      await press('Enter');
      await untilParameter('tab', (tab) => tab === 'changes');
      await press('ArrowRight');
      await untilFocus(/^Coverage/);
      await press('Enter');
      await untilParameter('tab', (tab) => tab === 'coverage');
      await press('ArrowLeft', 'Enter');
      await untilParameter('tab', (tab) => tab === 'changes');
    },
    'a search is typed and taken back': async () => {
      await tabTo(/^Search changes$/);
      await type('sshd');
      await untilParameter('q', (q) => q === 'sshd');
      await press('Control+A', 'Delete');
      await untilParameter('q', (q) => q === null);
      await untilFocus(/^Search changes$/);
    },
    'a filter is set and taken back, and the focus stays in the page': async () => {
      await tabTo(/^Removed/, 'Shift+Tab');
      await press('Enter');
      await untilParameter('category', (category) => category === 'Removed');
      await tabTo(/^Remove filter Category Removed$/);
      await press('Enter');
      await untilParameter('category', (category) => category === null);
      await untilFocus(/^Changes grid$/);
    },
    'a change is opened, read and closed, and the list goes on': async () => {
      await tabTo(/^Changes grid$/);
      await press('Home', 'Enter');
      await page.waitForSelector('.attributes');
      await tabTo(/^tee, deploy$/);
      await press('Enter');
      await page.getByText('tee -a sshd_config').waitFor();
      await tabTo(/^Attributes/);
      await press('ArrowRight');
      await untilFocus(/^Text/);
      await press('Enter');
      await page.waitForSelector('.content-diff');
      await press('ArrowRight');
      await untilFocus(/^Other changes of it/);
      await press('Enter');
      await page.locator('.related, .drawer-note').waitFor();
      await press('Escape');
      await untilParameter('change', (change) => change === null);
      await untilFocus(/^Changes grid$/);
      await press('ArrowDown', 'Enter');
      await page.getByText('It was moved; it was called').waitFor();
      await tabTo(/^Close \(Esc\)$/);
      await press('Enter');
      await untilFocus(/^Changes grid$/);
    },
    'a search of the header leads to what it found': async () => {
      await press('/');
      await untilFocus(/^Search changes in this workspace$/);
      await type('crontab');
      await press('Enter');
      await untilParameter('q', (q) => q === 'crontab');
      await untilFocus(/^main$/);
      await tabTo(/^Changes grid$/);
    },
    'a rule is switched and added': async () => {
      await tabTo(/^Settings$/, 'Shift+Tab');
      await press('Enter');
      await untilPath('/w/prod-eu/settings');
      await page.locator('.grid-row').first().waitFor();
      await tabTo(/^Rule \/bin\/login is enabled$/);
      await press('Space');
      await page.waitForFunction(
        () => !document.querySelector('[aria-label="Rule /bin/login is enabled"]')?.checked,
      );
      await tabTo(/^Add$/, 'Shift+Tab');
      await press('Enter');
      await untilFocus(/^Name/);
      await type('by-keys');
      await tabTo(/^Path\s*\*?$/);
      await type('/srv/keys/**');
      await press('Enter');
      await page.locator('.grid-row', { hasText: '/srv/keys/' }).first().waitFor();
      await untilFocus(/^Add$/);
    },
    'a rule is opened and closed again': async () => {
      await tabTo(/ grid$/);
      await press('Home', 'Enter');
      await page.getByRole('dialog').waitFor();
      await press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await untilFocus(/ grid$/);
    },
    'a query is written with suggestions, run, and left': async () => {
      await tabTo(/^Query \(KQL\)$/, 'Shift+Tab');
      await press('Enter');
      await untilPath('/w/prod-eu/query');
      await page.waitForSelector('.language.ready', PATIENCE);
      await tabTo(/^Query/);
      await tabTo(/editor/i);
      await press('Control+A', 'Delete');
      await page.keyboard.type('ConfigurationChange\n| where Ch', { delay: 15 });
      const suggestions = page.locator('.suggest-widget.visible .monaco-list-row');
      await suggestions.filter({ hasText: 'ChangeCategory' }).first().waitFor(PATIENCE);
      await press('Escape');
      await suggestions.first().waitFor({ state: 'hidden' });
      await untilFocus(/editor/i);
      await press('Control+Space');
      await suggestions.filter({ hasText: 'ChangeCategory' }).first().waitFor(PATIENCE);
      await press('Tab');
      await page.keyboard.type(" == 'Modified'", { delay: 15 });
      await press('Escape', 'Shift+Enter');
      await page.locator('.query-results .grid-row').first().waitFor(PATIENCE);
      assert.match(parameter('q'), /ChangeCategory == 'Modified'/);
      await press('Control+m', 'Tab');
      await tabTo(/ grid$/);
      await press('Home', 'Enter');
      await page.waitForSelector('.attributes', PATIENCE);
      await press('Escape');
      await untilFocus(/ grid$/);
    },
    'the session is ended': async () => {
      await tabTo(/^Account of admin$/, 'Shift+Tab');
      await press('Enter');
      await tabTo(/^Sign out$/, 'ArrowDown');
      await press('Enter');
      await untilPath('/login');
      assert.equal(world.isSignedIn, false);
    },
    'the browser had nothing to complain about': async () => assert.deepEqual(messages, []),
  });
  await browser.close();
  return count;
}

/** Runs in the page: the name of what has the focus; of a grid with the word behind it, since tabs are called the same. */
function nameOfFocus() {
  const element = document.activeElement;
  if (element === null || element === document.body) return '';
  const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
  const name = (label || element.tagName.toLowerCase()).trim().replace(/\s+/g, ' ');
  if (element.getAttribute('role') === 'grid') return `${name} grid`;
  return element.tagName === 'MAIN' ? 'main' : name.slice(0, 80);
}
