// The editor as a person meets it: colours, suggestions, underlined mistakes, formatting, rows.
import assert from 'node:assert/strict';
import { giveSessionKey, openBrowser, screenshot } from './browser.mjs';
import { SESSION_KEY } from './fixtureServer.mjs';
import { runSteps } from './steps.mjs';

/** Waking the language service is seconds of work on a busy machine. */
const PATIENCE = { timeout: 90_000 };

export async function checkKql({ base }) {
  const browser = await openBrowser();
  await giveSessionKey(browser.context, SESSION_KEY);
  const count = await runSteps(kqlSteps(browser, `${base}/w/prod-eu/query`, 'kql'));
  await browser.close();
  return count;
}

/** The steps hold for every server that has the table ConfigurationChange and does not know reduce. */
export function kqlSteps({ page, messages }, url, name) {
  const text = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('.query-editor .view-line')]
        .sort((a, b) => Number.parseInt(a.style.top, 10) - Number.parseInt(b.style.top, 10))
        .map((line) => line.textContent.replaceAll('\u00a0', ' '))
        .join('\n'),
    );
  /** Waits until the editor shows such a text: it paints what was typed a moment later. */
  const shows = async (pattern) => {
    for (let frame = 0; frame < 300 && !pattern.test(await text()); frame += 1)
      await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.match(await text(), pattern);
  };
  const type = async (query) => {
    await page.locator('.query-editor .view-lines').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.type(query, { delay: 15 });
  };
  const colourOf = (word) =>
    page.evaluate((wanted) => {
      const spans = [...document.querySelectorAll('.view-line span span')];
      const span = spans.find(({ textContent }) => textContent.trim() === wanted);
      return span && getComputedStyle(span).color;
    }, word);
  const suggestions = () => page.locator('.suggest-widget.visible .monaco-list-row');

  return {
    'the editor wakes': async () => {
      await page.goto(url);
      await page.waitForSelector('.monaco-editor .view-line', PATIENCE);
      await page.waitForSelector('.language.ready', PATIENCE);
    },
    'tables and columns have colours of their own': async () => {
      await page.waitForFunction(
        () => {
          const spans = [...document.querySelectorAll('.view-line span span')];
          const colour = (word) => {
            const span = spans.find(({ textContent }) => textContent.trim() === word);
            return span && getComputedStyle(span).color;
          };
          return colour('ConfigurationChange') !== colour('TimeGenerated');
        },
        undefined,
        PATIENCE,
      );
      assert.notEqual(await colourOf('ConfigurationChange'), await colourOf('|'));
    },
    'columns are suggested while typing': async () => {
      await type('ConfigurationChange\n| where Ch');
      await suggestions().first().waitFor(PATIENCE);
      await page.waitForFunction(
        () =>
          /ChangeCategory/.test(
            document.querySelector('.suggest-widget .monaco-list-row')?.textContent ?? '',
          ),
        undefined,
        PATIENCE,
      );
      await screenshot(page, `${name}-suggest`);
      await page.keyboard.press('Enter');
      await page.keyboard.type(" == 'Modified'", { delay: 15 });
      await page.keyboard.press('Escape');
      await shows(/\| where ChangeCategory == 'Modified'$/);
    },
    'Tab accepts a suggestion and stays in the editor': async () => {
      await type('ConfigurationChange\n| where FileS');
      await suggestions().filter({ hasText: 'FileSystemPath' }).first().waitFor(PATIENCE);
      await page.keyboard.press('Tab');
      await page.keyboard.type(" == 'x'", { delay: 15 });
      await page.keyboard.press('Escape');
      await shows(/\| where FileSystemPath == 'x'$/);
    },
    'Tab indents, and leaves the editor after Ctrl+M': async () => {
      const inEditor = () => page.evaluate(() => !!document.activeElement?.closest('.monaco-editor'));
      await type('ConfigurationChange');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Home');
      await page.keyboard.press('Tab');
      await shows(/^\s+ConfigurationChange$/);
      assert.ok(await inEditor());
      await page.keyboard.press('Control+m');
      await page.keyboard.press('Tab');
      assert.ok(!(await inEditor()));
      await page.locator('.query-editor .view-lines').click();
      await page.keyboard.press('Control+m');
    },
    'an operator that the server does not answer is not suggested': async () => {
      await type('ConfigurationChange\n| ');
      await page.keyboard.press('Control+Space');
      await suggestions().first().waitFor(PATIENCE);
      await page.keyboard.type('redu');
      await page.waitForFunction(
        () => !document.querySelector('.suggest-widget.visible .monaco-list-row[aria-label*="reduce"]'),
      );
      await page.keyboard.press('Escape');
    },
    'a column that is not there is underlined': async () => {
      await type('ConfigurationChange\n| where Foo == 1');
      await page.waitForSelector('.squiggly-error', PATIENCE);
    },
    'a mistake is told with its line and column': async () => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Shift+Enter');
      await page.getByText('Line 2, column 9').waitFor(PATIENCE);
      await screenshot(page, `${name}-error`);
    },
    'a query is formatted': async () => {
      await type('ConfigurationChange|where Computer!="x"|take 5');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^Format/ }).click();
      await page.waitForFunction(
        () =>
          /Computer != "x" \| take 5/.test(
            document.querySelector('.query-editor .view-lines')?.textContent.replaceAll('\u00a0', ' '),
          ),
        undefined,
        PATIENCE,
      );
    },
    'a query is run by its key and answers with rows': async () => {
      await type('ConfigurationChange | summarize count() by Computer, ConfigChangeType');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Shift+Enter');
      await page.waitForSelector('.query-results .grid-row', PATIENCE);
      await page.waitForFunction(() =>
        /count_/.test(document.querySelector('.query-results')?.textContent ?? ''),
      );
      assert.match(new URL(page.url()).searchParams.get('q'), /summarize count/);
    },
    'a chart that the query asks for is drawn, with its rows beside it': async () => {
      await type(
        'ConfigurationChange | summarize count() by bin(TimeGenerated, 6h), ChangeCategory | render timechart',
      );
      await page.keyboard.press('Escape');
      await page.keyboard.press('Shift+Enter');
      const chart = page.getByRole('img', { name: /^timechart of .*Modified/ });
      await chart.locator('svg text').first().waitFor(PATIENCE);
      await screenshot(page, `${name}-chart`);
      await page.getByRole('tab', { name: 'Results' }).click();
      await page.waitForSelector('.query-results .grid-row', PATIENCE);
      await page.getByRole('tab', { name: 'Chart' }).click();
      await chart.locator('svg text').first().waitFor(PATIENCE);
    },
    'a chart that the page does not draw is said to be a table': async () => {
      await type('ConfigurationChange | summarize count() by Computer | render treemap');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Shift+Enter');
      await page.getByText('does not draw a treemap').waitFor(PATIENCE);
      await page.waitForSelector('.query-results .grid-row', PATIENCE);
    },
    'the rows are saved as a file of each kind': async () => {
      for (const [label, ending] of [
        ['CSV', 'csv'],
        ['NDJSON', 'ndjson'],
        ['Parquet', 'parquet'],
        ['Arrow', 'arrow'],
      ]) {
        await page.getByRole('button', { name: 'Export', exact: true }).click();
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('menuitem', { name: label, exact: true }).click(),
        ]);
        assert.ok(download.suggestedFilename().endsWith(`.${ending}`), download.suggestedFilename());
      }
    },
    'a row that is a change opens as the change': async () => {
      await page.getByRole('button', { name: 'File changes, newest first' }).click();
      await page.waitForFunction(() =>
        /ChangeId/.test(document.querySelector('.query-results')?.textContent ?? ''),
      );
      await page.locator('.query-results .grid-row').first().click();
      await page.waitForSelector('.attributes', PATIENCE);
      await page.keyboard.press('Escape');
    },
    'the browser had nothing to complain about': async () => assert.deepEqual(messages, []),
  };
}
