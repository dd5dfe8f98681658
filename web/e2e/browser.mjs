// Opens Debian's Chromium with a fixed zone, locale and theme, and collects what must stay empty.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
export const RESULTS = new URL('../test-results/', import.meta.url).pathname;

/** Messages of the browser itself about answers that a test provokes on purpose. */
const EXPECTED =
  /Failed to load resource: the server responded with a status of (400|401|403|404|409|500|503)/;

export async function openBrowser({ width = 1440, height = 900, dark = false } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'steadfast-web-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en-GB',
    acceptDownloads: true,
    args: FLAGS,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const messages = [];
  page.on('console', (message) => {
    const text = `${message.type()}: ${message.text().slice(0, 400)}`;
    if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(text)) messages.push(text);
  });
  page.on('pageerror', (error) => messages.push(`page error: ${error.message.slice(0, 400)}`));
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, page, messages, close };
}

/** Lets every page of the browser have the key of a session, as if it had signed in. */
export function giveSessionKey(context, key) {
  return context.addInitScript((value) => {
    if (location.protocol.startsWith('http')) sessionStorage.setItem('session-key', value);
  }, key);
}

/** Lets the system prefer `theme`, `light` or `dark`, and waits until the page follows. */
export async function switchTheme(page, theme) {
  await page.emulateMedia({ colorScheme: theme });
  await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, theme);
}

/** Violations of accessibility rules. The script runs through the debugger, so the page's policy does not stop it. */
export async function axe(page, exclude = []) {
  await page.evaluate(AXE);
  return page.evaluate(
    async ({ exclude, tags }) => {
      // The component library's focus guards hold the focus for no longer than a blink.
      const context = { exclude: [['[data-tabster-dummy]'], ...exclude] };
      const { violations } = await window.axe.run(context, { runOnly: tags });
      return violations.map(({ id, nodes }) => {
        const [first] = nodes;
        const why = first.any[0]?.message ?? first.all[0]?.message ?? first.none[0]?.message ?? '';
        return `${id} ×${nodes.length}: ${first.target.join(' ')}: ${why.slice(0, 200)}`;
      });
    },
    { exclude, tags: AXE_TAGS },
  );
}

/** What is wrong with the layout: something wider than its place, or a sheet that covers the page. */
export async function layoutFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    const isWide = (element) => element.scrollWidth > element.clientWidth + 1;
    if (document.documentElement.scrollWidth > window.innerWidth)
      faults.push('the page is wider than the window');
    for (const element of document.querySelectorAll('main, main .page, main .card')) {
      if (isWide(element) && getComputedStyle(element).overflowX !== 'hidden') {
        faults.push(`${element.tagName.toLowerCase()}.${element.className} overflows sideways`);
      }
    }
    for (const grid of document.querySelectorAll('.grid')) {
      // Answers of a query scroll sideways on purpose.
      if (isWide(grid) && !grid.closest('.query-results'))
        faults.push(`grid ${grid.ariaLabel} overflows sideways`);
    }
    for (const chart of document.querySelectorAll('.chart svg')) {
      const color = getComputedStyle(document.documentElement).getPropertyValue('--c-modified').trim();
      if (!chart.querySelector(`[fill="${color}"]`))
        faults.push('a chart is not in the colours of the theme');
    }
    for (const element of document.querySelectorAll('main *, [role=dialog] *')) {
      const { fontFamily, fontVariantLigatures } = getComputedStyle(element);
      const isMonospaced = /^"?(JetBrains|monospace)/.test(fontFamily);
      if (isMonospaced && fontVariantLigatures !== 'none' && !element.closest('.monaco-editor, svg')) {
        faults.push(`${element.tagName.toLowerCase()}.${element.className} has ligatures`);
      }
    }
    const shell = document.querySelector('.shell, .login');
    const centre = document.elementFromPoint(window.innerWidth / 2, window.innerHeight / 2);
    // A modal dialog covers the page on purpose, with itself or with its backdrop.
    const isOverlay =
      centre?.closest('[role=dialog], [role=alertdialog], [class*=backdrop]') &&
      document.querySelector('[role=dialog], [role=alertdialog]');
    if (shell && !isOverlay && !shell.contains(centre)) faults.push('something covers the page');
    return faults;
  });
}

export async function screenshot(page, name) {
  mkdirSync(RESULTS, { recursive: true });
  await page.screenshot({ path: join(RESULTS, `${name}.png`) });
}

/** What steps ask of a page's address, and what they wait for in it. */
export function addressOf(page) {
  const until = (test) => page.waitForURL((url) => test(new URL(url)), { timeout: 10_000 });
  return {
    parameter: (name) => new URL(page.url()).searchParams.get(name),
    untilParameter: (name, test) => until((url) => test(url.searchParams.get(name))),
    untilPath: (path) => until((url) => url.pathname === path),
  };
}
