// What is not what it seems: items that watch something else, a place that is none, a connection that is dead.
import assert from 'node:assert/strict';
import { addressOf, giveSessionKey, openBrowser } from './browser.mjs';
import { SESSION_KEY } from './fixtureServer.mjs';
import { runSteps } from './steps.mjs';

export async function checkDoubts({ base, world }) {
  const browser = await openBrowser();
  const { context, page, messages } = browser;
  const { untilPath } = addressOf(page);
  await giveSessionKey(context, SESSION_KEY);

  const count = await runSteps({
    'an item that watches something else is marked, and put back unless that is unchecked': async () => {
      const crontab = world.rules.find(({ name }) => name === '/etc/crontab');
      crontab.path = '/etc/foo';
      const calls = () => world.calls.filter(({ path }) => path === '/workspaces/staging/fim/enable');
      const apply = async () => {
        const count = calls().length;
        await page.getByRole('button', { name: 'Apply file integrity monitoring' }).click();
        while (calls().length === count) await page.waitForTimeout(20);
        return calls().at(-1).body;
      };
      const disable = async () => {
        await page.getByRole('button', { name: 'Disable…' }).click();
        await page.getByLabel('Type staging to confirm').fill('staging');
        await page.getByRole('button', { name: 'Remove', exact: true }).click();
        await page.getByRole('button', { name: 'Enable…' }).waitFor();
      };
      await page.goto(`${base}/w/staging/settings`);
      await page.getByText('1 recommended item changed').waitFor();
      await page.getByRole('button', { name: 'Enable…' }).click();
      await page.getByText('changed to /etc/foo').waitFor();
      assert.deepEqual(await apply(), { disabledItems: [], restoreChanged: true });
      await disable();
      await page.getByRole('button', { name: 'Enable…' }).click();
      await page.getByLabel('Put back as recommended what was changed (1 item)').uncheck();
      assert.deepEqual(await apply(), { disabledItems: [], restoreChanged: false });
      await disable();
      crontab.path = '/etc/crontab';
    },
    'a page that does not exist has the way to the others': async () => {
      await page.goto(`${base}/nowhere`);
      await page.getByText('There is no such page').waitFor();
      await page.getByRole('navigation').first().waitFor();
      assert.equal(await page.locator('main').count(), 1);
      await page.getByRole('link', { name: 'See all workspaces' }).click();
      await untilPath('/workspaces');
    },
    'a connection that is silent is lost, and another is opened': async () => {
      await page.clock.install();
      await page.goto(`${base}/w/prod-eu`);
      await page.waitForSelector('.live.open');
      const [dead] = world.streams;
      for (let sign = 0; sign < 4; sign += 1) {
        const isHeard = page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 15_000)));
        dead.write(': still here\n\n');
        await page.waitForTimeout(200);
        await page.clock.fastForward(15_000);
        await isHeard;
      }
      assert.ok(world.streams.has(dead), 'a sign of life is enough');
      await page.clock.fastForward(46_000);
      await page.waitForSelector('.live.lost');
      await page.clock.fastForward(5_000);
      await page.waitForSelector('.live.open');
      assert.ok(!world.streams.has(dead) && world.streams.size === 1, 'one stream, and another');
    },
    'the browser had nothing to complain about': async () => assert.deepEqual(messages, []),
  });
  await browser.close();
  return count;
}
