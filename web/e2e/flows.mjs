// What a person does, from signing in to watching a change arrive.
import assert from 'node:assert/strict';
import { addressOf, openBrowser } from './browser.mjs';
import { announce, SESSION_KEY } from './fixtureServer.mjs';
import { ruleSteps } from './rules.mjs';
import { runSteps } from './steps.mjs';

export async function checkFlows({ base, world }) {
  const browser = await openBrowser();
  const { page, messages } = browser;
  const { parameter, untilParameter, untilPath } = addressOf(page);
  const rows = page.locator('.grid-row');
  /** Where the focus is: a grid by its name, else the element's tag. */
  const focus = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      return element?.role === 'grid' ? element.ariaLabel : element?.tagName.toLowerCase();
    });
  const untilFocus = async (wanted) => {
    await page
      .waitForFunction(
        (name) => {
          const element = document.activeElement;
          return (element?.role === 'grid' ? element.ariaLabel : element?.tagName.toLowerCase()) === name;
        },
        wanted,
        { timeout: 5_000 },
      )
      .catch(async () => assert.equal(await focus(), wanted));
  };
  const row = (text) => page.locator('.grid-row', { hasText: text }).first();
  const exportAs = async (label) => {
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await page.getByRole('menuitem', { name: label, exact: true }).click();
  };

  const count = await runSteps({
    'a page without a session leads to sign-in and back': async () => {
      world.isSignedIn = false;
      await page.goto(`${base}/w/prod-eu?tab=changes&q=ssh`);
      await untilPath('/login');
      await page.getByLabel('Name').fill('admin');
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('The name or the password is wrong.').waitFor();
      await page.getByLabel('Password').fill('correct horse');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await untilPath('/w/prod-eu');
      assert.equal(parameter('q'), 'ssh');
    },
    'a used link says so and offers the form': async () => {
      world.isSignedIn = false;
      await page.goto(`${base}/login#code=USED`);
      const alert = page.getByRole('alert').filter({ hasText: 'The sign-in link has been used' });
      await alert.waitFor();
      assert.match(await alert.innerText(), /steadfast sign-in on the server's machine prints a new one\.$/);
      assert.equal(await alert.locator('code').innerText(), 'steadfast sign-in');
      await page.getByLabel('Name').waitFor();
    },
    'a new link in the same tab signs in, leaves no code behind, and offers a password': async () => {
      await page.goto(`${base}/login#code=GOOD`);
      await page.getByRole('heading', { name: 'Set a password' }).waitFor();
      assert.ok(!page.url().includes('GOOD'), page.url());
      await page.getByText('You will sign in as admin.').waitFor();
      const field = (label) => page.locator('.fui-Field', { has: page.getByLabel(label) });
      await page.getByLabel(/^New password\s*\*?$/).fill('short');
      await page.getByLabel('New password again').fill('short');
      await field(/^New password\s*\*?$/)
        .getByText('at least 10 characters.')
        .waitFor();
      assert.equal(await page.getByText(/at least 10 characters/i).count(), 1);
      await page.getByLabel(/^New password\s*\*?$/).fill('a long sentence');
      await field('New password again').getByText('The two passwords differ.').waitFor();
      await page.getByLabel('New password again').fill('a long sentence');
      await page.getByRole('button', { name: 'Set password' }).click();
      await untilPath('/workspaces');
      assert.equal(world.calls.filter(({ path }) => path === '/session/one-time').length, 2);
    },
    'another tab, and one that is loaded anew, find who is signed in': async () => {
      const other = await browser.context.newPage();
      await other.goto(`${base}/w/prod-eu`);
      await other.locator('.live.open').waitFor();
      await other.reload();
      await other.locator('.live.open').waitFor();
      await other.close();
    },
    'monitoring is enabled with the chosen items': async () => {
      await page.getByRole('button', { name: 'Enable staging' }).click();
      await page.getByLabel('/boot').uncheck();
      await page.getByText('Linux files (17 of 18)').waitFor();
      await page.getByRole('button', { name: 'Apply file integrity monitoring' }).click();
      await untilPath('/w/staging');
      const call = world.calls.find(({ path }) => path === '/workspaces/staging/fim/enable');
      assert.deepEqual(call.body, { disabledItems: ['/boot'], restoreChanged: false });
      assert.equal(call.key, SESSION_KEY);
    },
    'monitoring is disabled only after its name was typed': async () => {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Disable monitoring…' }).click();
      const remove = page.getByRole('button', { name: 'Remove', exact: true });
      assert.ok(await remove.isDisabled());
      await page.getByLabel('Type staging to confirm').fill('staging');
      await remove.click();
      await page.getByText('Monitoring is off.').waitFor();
    },
    'a workspace is created, and a taken name is refused': async () => {
      await page.goto(`${base}/workspaces`);
      await page.getByRole('button', { name: 'Create workspace' }).click();
      await page.getByLabel('Name').fill('prod-eu');
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await page.getByText('There is a workspace named prod-eu already.').waitFor();
      await page.getByLabel('Name').fill('branch');
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      await untilPath('/w/branch');
      await page.getByText('No machine is enrolled', { exact: true }).waitFor();
    },
    'a workspace that is not there leads to those that are': async () => {
      for (const place of ['/w/nope', '/w/nope/query', '/w/nope/settings']) {
        await page.goto(`${base}${place}`);
        await page.getByRole('heading', { name: 'Not found' }).waitFor();
        assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0);
        assert.equal(
          await page.locator('[role=alert] p').first().innerText(),
          'There is no workspace "nope"; steadfast workspace list shows the workspaces.',
        );
      }
      await page.getByRole('link', { name: 'Go to the workspaces' }).click();
      await untilPath('/workspaces');
    },
    'pages are walked by keys alone, and each starts with the focus in it': async () => {
      await page.goto(`${base}/workspaces`);
      await rows.first().waitFor();
      await page.keyboard.press('j');
      await untilFocus('Workspaces');
      await page.keyboard.press('Enter');
      await untilPath('/w/prod-eu');
      await rows.first().waitFor();
      await untilFocus('main');
      await page.keyboard.press('j');
      await untilFocus('Servers');
    },
    'the figures of the period stand in one line': async () => {
      await page.goto(`${base}/w/prod-eu`);
      await page.waitForSelector('.split-parts');
      const lines = await page.evaluate(() => {
        const tops = [...document.querySelectorAll('.split-parts')].map((parts) =>
          [...parts.children].map((part) => Math.round(part.getBoundingClientRect().top)),
        );
        const cards = [...document.querySelectorAll('.summary-kpis > *')];
        return [...tops, cards.map((card) => Math.round(card.getBoundingClientRect().top))];
      });
      for (const tops of lines) assert.equal(new Set(tops).size, 1, JSON.stringify(lines));
    },
    'the columns of a machine add up to its total': async () => {
      await rows.first().waitFor();
      const names = await page.locator('.grid [role=columnheader]').allInnerTexts();
      const cells = await rows.first().locator('[role=gridcell]').allInnerTexts();
      const count = (name) =>
        Number(cells[names.findIndex((one) => one.trim() === name)].replaceAll(',', ''));
      const parts = ['Files', 'Registry', 'Services', 'Software'].map(count);
      assert.ok(parts[3] > 0, parts.join());
      assert.equal(
        parts.reduce((sum, part) => sum + part),
        count('Total'),
      );
    },
    'a first baseline does not look like trouble': async () => {
      await page.goto(`${base}/w/fresh`);
      await page.getByText('The first baseline is being taken.').waitFor();
      await row('First baseline').waitFor();
      assert.equal(await page.getByText(/open gap/).count(), 0);
      assert.equal(await page.locator('.gap-mark, .tab-count.warn, .coverage-kpi.bad').count(), 0);
      await page.getByRole('tab', { name: /^Changes/ }).click();
      await page.getByRole('heading', { name: 'No change yet' }).waitFor();
      await page.getByRole('tab', { name: /^Coverage/ }).click();
      await row('Under way').waitFor();
      assert.equal(await page.locator('.gap-state.open').count(), 0);
    },
    'a part of a total is a filter that can be taken back': async () => {
      await page.goto(`${base}/w/prod-eu`);
      const removed = page.getByRole('button', { name: /^Removed/ });
      await removed.click();
      await page.waitForSelector('.category.Removed');
      await page.waitForFunction(() => !document.querySelector('.grid .category.Modified'));
      assert.equal(parameter('category'), 'Removed');
      assert.equal(await removed.getAttribute('aria-pressed'), 'true');
      await page.getByRole('button', { name: 'Remove filter Category Removed' }).click();
      await untilParameter('category', (value) => value === null);
    },
    'the search finds and is part of the link': async () => {
      await page.getByRole('searchbox', { name: 'Search changes' }).fill('crontab');
      await untilParameter('q', (value) => value === 'crontab');
      await page.waitForFunction(() =>
        [...document.querySelectorAll('.grid .path')].every(({ title }) => title === '/etc/crontab'),
      );
    },
    'a search without hits says why the list is empty': async () => {
      await page.getByRole('searchbox', { name: 'Search changes' }).fill('no-such-file');
      await page.getByText('No change matches').waitFor();
      await page.getByRole('button', { name: 'Clear the filters' }).click();
      await rows.first().waitFor();
    },
    'dragging over the chart zooms, and Back undoes it': async () => {
      await page.waitForSelector('.chart svg text');
      const box = await page.locator('.chart').boundingBox();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 100);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.75, box.y + 100, { steps: 8 });
      await page.mouse.up();
      await untilParameter('range', (value) => /^\d{4}-.*\.\.\d{4}-/.test(value ?? ''));
      await page.goBack();
      await untilParameter('range', (value) => value === null);
    },
    'a range is set by keyboard too': async () => {
      await page.getByRole('button', { name: 'Time range: Last 7 days' }).click();
      await page.getByRole('menuitemradio', { name: 'Last 24 hours' }).click();
      await untilParameter('range', (value) => value === '24h');
      await page.getByRole('button', { name: 'Time range: Last 24 hours' }).click();
      await page.getByRole('menuitem', { name: 'Custom range…' }).click();
      await page.getByRole('button', { name: 'Apply' }).click();
      await untilParameter('range', (value) => value?.includes('..'));
    },
    'the list is walked by keys, far beyond what is on the screen': async () => {
      await page.goto(`${base}/w/prod-eu?tab=changes`);
      await rows.first().waitFor();
      await page.getByRole('grid', { name: 'Changes' }).focus();
      for (let step = 0; step < 30; step += 1) await page.keyboard.press('ArrowDown');
      const index = () =>
        page.evaluate(() => {
          const active = document.activeElement?.getAttribute('aria-activedescendant');
          return active && document.getElementById(active)?.getAttribute('aria-rowindex');
        });
      await page.waitForFunction(() => document.querySelector('[aria-rowindex="32"].active'));
      assert.equal(await index(), '32');
    },
    'a change opens by Enter, J and K step, a link reopens it, Esc closes': async () => {
      await page.keyboard.press('Enter');
      await page.waitForSelector('.attributes');
      const first = parameter('change');
      await page.keyboard.press('j');
      await untilParameter('change', (value) => value !== first);
      await page.keyboard.press('k');
      await untilParameter('change', (value) => value === first);
      await page.goto(page.url());
      await page.waitForSelector('.attributes');
      await page.keyboard.press('Escape');
      await untilParameter('change', (value) => value === null);
      await untilFocus('Changes');
    },
    'the list goes on by keys where the drawer left it': async () => {
      const active = () => page.locator('.grid-row.active').getAttribute('aria-rowindex');
      await page.goto(`${base}/w/prod-eu?tab=changes`);
      await rows.nth(4).click();
      await page.waitForSelector('.attributes');
      await page.keyboard.press('j');
      await page.waitForSelector('[aria-rowindex="7"].active');
      await page.keyboard.press('Escape');
      await untilFocus('Changes');
      await page.keyboard.press('j');
      assert.equal(await active(), '8');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.attributes');
      await page.keyboard.press('Escape');
      await untilFocus('Changes');
      await page.locator('h1').click();
      await page.keyboard.press('k');
      await untilFocus('Changes');
    },
    'who made a change is told in the list and in full in the drawer': async () => {
      await page.goto(`${base}/w/prod-eu?tab=changes`);
      await row('vim.basic, root (sudo: amira) and 4 others').click();
      const told = page.getByRole('region', { name: 'Who made this change and how it was found' });
      await told.getByText('root (sudo: amira)').waitFor();
      const text = await told.innerText();
      for (const part of [
        'ran vim.basic',
        'vim /etc/ssh/sshd_config',
        '/usr/bin/vim.basic',
        '4711',
        'sudo ← bash ← sshd ← systemd',
      ]) {
        assert.ok(text.includes(part), `${part} is not in ${text}`);
      }
      await told.getByText('4 others had a part in it').waitFor();
      await told.getByText('2 more, of which nothing was kept').waitFor();
      const other = told.getByText('tee, deploy', { exact: true });
      assert.equal(await told.getByText('tee -a sshd_config').isVisible(), false);
      await other.focus();
      await page.keyboard.press('Enter');
      await told.getByText('tee -a sshd_config').waitFor();
      await told.getByText('sh', { exact: true }).click();
      await told.getByText('in a view of the file systems of its own').waitFor();
      const ligatures = await page
        .locator('.attributes td.mono')
        .first()
        .evaluate((cell) => getComputedStyle(cell).fontVariantLigatures);
      assert.equal(ligatures, 'none');
      await page.keyboard.press('Escape');
      await row('/etc/hosts').click();
      await told
        .getByText('Who did it is not known: the process had ended before it could be asked.')
        .waitFor();
      await page.keyboard.press('Escape');
    },
    'a move has both names': async () => {
      await row('/etc/nginx.conf').click();
      await page.getByText('It was moved; it was called /etc/nginx.conf.old before.').waitFor();
      await page.getByRole('tab', { name: /^Attributes\s*1 changed/ }).waitFor();
      const cells = page.locator('.attributes tr.changed', { hasText: 'Path' }).locator('td');
      assert.deepEqual(await cells.allInnerTexts(), ['/etc/nginx.conf.old', '/etc/nginx.conf']);
      await page.keyboard.press('Escape');
    },
    'what differs is marked': async () => {
      await page
        .locator('.grid-row', { has: page.locator('.category.Modified') })
        .first()
        .click();
      await page.waitForSelector('.attributes .changed');
      const [before, after] = await page
        .locator('.attributes .changed')
        .first()
        .locator('td')
        .allInnerTexts();
      assert.notEqual(before, after);
      await page.getByRole('tab', { name: /Other changes/ }).click();
      await page.waitForSelector('.related, .drawer-note');
      await page.keyboard.press('Escape');
    },
    'the text of a file is asked for when it is looked at, and shown line by line': async () => {
      await page.goto(`${base}/w/prod-eu?tab=changes`);
      const asked = () => world.calls.filter(({ path }) => path.endsWith('/content')).length;
      await row('/etc/ssh/sshd_config').click();
      await page.waitForSelector('.attributes');
      assert.equal(asked(), 0);
      await page.getByRole('tab', { name: 'Text' }).click();
      await page.locator('.content-diff tr.removed', { hasText: 'PermitRootLogin no' }).waitFor();
      await page.locator('.content-diff tr.added', { hasText: 'PermitRootLogin yes' }).waitFor();
      await page.getByText('<script>document.title = "taken"</script>').waitFor();
      assert.equal(asked(), 1);
      await page.keyboard.press('Escape');
      await row('/etc/hosts').click();
      await page.getByRole('tab', { name: 'Text' }).click();
      await page.getByText('After the change: it is not text.').waitFor();
      await page.keyboard.press('Escape');
    },
    'a new change waits behind a button and does not move the list': async () => {
      await page.goto(`${base}/w/prod-eu?tab=changes`);
      await rows.first().waitFor();
      await page.waitForSelector('.live.open');
      const top = await rows.first().textContent();
      announce(world, 'prod-eu', { entity: '/etc/brand-new.conf' });
      announce(world, 'prod-eu', { entity: '/etc/brand-newer.conf' });
      const show = page.getByRole('button', { name: '2 new changes: show' });
      await show.waitFor();
      assert.equal(await rows.first().textContent(), top);
      await show.click();
      await row('brand-newer.conf').waitFor();
    },
    'a change that a filter hides is not counted': async () => {
      await page.goto(`${base}/w/prod-eu?tab=changes&q=crontab`);
      await rows.first().waitFor();
      await page.waitForSelector('.live.open');
      announce(world, 'prod-eu', { entity: '/etc/hosts' });
      announce(world, 'prod-eu', { entity: '/etc/crontab' });
      await page.getByRole('button', { name: '1 new change: show' }).waitFor();
    },
    'the rows of a long list are fetched as they come into view': async () => {
      await page.goto(`${base}/w/large?tab=changes`);
      await rows.first().waitFor();
      const grid = page.getByRole('grid', { name: 'Changes' });
      assert.equal(await grid.getAttribute('aria-rowcount'), '5001');
      await grid.focus();
      for (let page_ = 0; page_ < 4; page_ += 1) {
        const loaded = 200 * (page_ + 1);
        await page.keyboard.press('End');
        await page.waitForFunction((last) => document.querySelector(`[aria-rowindex="${last}"]`), loaded + 2);
      }
      assert.ok((await rows.count()) < 80, 'only what is in view is in the document');
    },
    'gaps are told on every tab and listed with their cause': async () => {
      await page.goto(`${base}/w/prod-eu`);
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await untilParameter('tab', (value) => value === 'coverage');
      await row('Cannot be read').waitFor();
      await row('The agent is not heard').waitFor();
      assert.equal(await page.locator('.gap-state.open').count(), 2);
      assert.match(await page.getByRole('tab', { name: /^Coverage/ }).innerText(), /^Coverage\s*2/);
      const why = await row('The agent is not heard').innerText();
      assert.match(why, /Last heard \d{4}\u2011\d\d\u2011\d\d\u00a0\d\d:\d\d:\d\d; steadfast-agent doctor/);
      // The server noticed the same stop, and has no other words for it.
      assert.equal(await rows.filter({ hasText: 'The agent did not run' }).count(), 2);
      assert.equal(await row('The agent was not heard').count(), 0);
      await row('The agent was stopped.').waitFor();
    },
    'a gap is told whole beside the list, and has a link of its own': async () => {
      await page.goto(`${base}/w/prod-eu?tab=coverage`);
      await row('Cannot be read').click();
      const drawer = page.getByRole('complementary').or(page.getByRole('dialog'));
      await drawer.getByText('permission denied').waitFor();
      const told = await drawer.innerText();
      for (const part of ['/etc/init.d/exim4', 'mail-01.example.net', 'Open', 'it goes on', 'Unreadable'])
        assert.ok(told.includes(part), `${part} is not in ${told}`);
      await page.reload();
      await drawer.getByText('permission denied').waitFor();
      await page.keyboard.press('Escape');
      await untilParameter('gap', (value) => value === null);
      await row('The agent is not heard').click();
      await drawer.getByText('steadfast-agent doctor').waitFor();
      await page.getByRole('tab', { name: /^Servers/ }).click();
      await untilParameter('gap', (value) => value === null);
    },
    'a machine of the list leads to what changed on it, and its query is the second way': async () => {
      await page.goto(`${base}/w/prod-eu`);
      await row('web-02.example.net').click();
      await untilParameter('tab', (value) => value === 'changes');
      assert.equal(parameter('machine'), 'web-02.example.net');
      await page.getByRole('button', { name: 'Remove filter Machine web-02.example.net' }).waitFor();
      await page.goBack();
      await page.getByRole('button', { name: 'Actions for web-02.example.net' }).click();
      await page.getByRole('menuitem', { name: 'Query its changes' }).click();
      await untilPath('/w/prod-eu/query');
      assert.match(parameter('q'), /Computer == 'web-02\.example\.net'/);
      await page.waitForSelector('.query-results .grid-row');
    },
    'a mistake in a query is told after its place': async () => {
      await page.goto(
        `${base}/w/prod-eu/query?q=${encodeURIComponent('ConfigurationChange | where Foo == 1')}`,
      );
      const told = await page.locator('.query-error li').innerText();
      assert.match(told, /^Line 1, column 29: there is no column/);
    },
    'a workspace whose machines are silent does not look healthy': async () => {
      await page.goto(`${base}/workspaces`);
      await row('silent').getByText('Not watched', { exact: true }).waitFor();
      assert.match(await row('silent').innerText(), /0 \/ 2/);
      await row('quiet').getByText('Watching').waitFor();
      await row('prod-eu').getByText('not reporting').waitFor();
      await row('fresh').getByText('First baseline').waitFor();
      await row('empty').getByText('No machine').waitFor();
      const told = await page.locator('.kpis').innerText();
      assert.match(told, /\n3 of \d\nWorkspaces fully watched/);
      assert.match(told, /Machines reporting\n4 not reporting, 3 not monitored/);
    },
    'time before the first enrolment is hatched, and not compared with': async () => {
      await page.goto(`${base}/w/payments`);
      await page.waitForSelector('.chart svg text');
      const legend = page.locator('.hatch-legend');
      await legend.getByText('Not watched', { exact: true }).waitFor();
      await page.getByText('not watched in the previous period').waitFor();
      // The hatch ends where the machines were enrolled: four sevenths into the week.
      const [hatch, chart] = await Promise.all([
        page.locator('.chart svg path[stroke="#9a9a9a"]').first().boundingBox(),
        page.locator('.chart svg').boundingBox(),
      ]);
      const share = hatch.width / chart.width;
      assert.ok(share > 0.48 && share < 0.62, `the hatch takes ${share} of the chart`);
      assert.match(
        await page.locator('.chart').getAttribute('aria-label'),
        /nothing was watched in 3[12] of 56 steps/,
      );
      await page.goto(`${base}/w/quiet`);
      await page.waitForSelector('.chart svg text');
      assert.equal(await legend.count(), 0);
      assert.equal(await page.getByText('not watched in the previous period').count(), 0);
    },
    'a list without changes of a time that was not all watched says so': async () => {
      await page.goto(`${base}/w/payments?tab=changes&range=30d`);
      await rows.first().waitFor();
      world.places.payments.changes = [];
      await page.goto(`${base}/w/payments?tab=changes&range=14d`);
      await page.getByText('No change was found, but not everything was watched').waitFor();
    },
    'empty and not watched never look the same': async () => {
      await page.goto(`${base}/w/quiet?tab=changes`);
      await page.getByText('Nothing changed', { exact: true }).waitFor();
      await page.goto(`${base}/w/staging?tab=changes`);
      await page.getByText('Not watched', { exact: true }).first().waitFor();
      await page.getByText('not watched in the previous period').waitFor();
      assert.equal(await page.getByText('Nothing changed', { exact: true }).count(), 0);
    },
    'the first baseline shows its progress': async () => {
      await page.goto(`${base}/w/prod-eu`);
      await row('First baseline').waitFor();
      await row('First baseline').getByRole('progressbar').waitFor();
    },
    'a machine is added by one command': async () => {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Add a machine…' }).click();
      await page.getByRole('button', { name: 'Create the command' }).click();
      await page.getByText('steadfast-agent enroll').waitFor();
      assert.equal(await page.getByText('Other machines cannot reach this server.').count(), 0);
      await page.keyboard.press('Escape');
    },
    'an address that no other machine can reach is warned of': async () => {
      await page.goto(`${base}/w/empty`);
      await page.getByRole('button', { name: 'Add a machine…' }).click();
      await page.getByRole('button', { name: 'Create the command' }).click();
      await page.getByText('Other machines cannot reach this server.').waitFor();
      await page.getByText('--listen 0.0.0.0:8443').waitFor();
      await page.keyboard.press('Escape');
    },
    ...ruleSteps({ base, page, world, row, untilFocus }),
    'tables and samples make room where there is none': async () => {
      const panel = page.getByRole('complementary', { name: 'Tables and samples' });
      await page.goto(`${base}/w/prod-eu/query`);
      await panel.waitFor();
      await page.getByRole('button', { name: 'Hide tables and samples' }).click();
      await panel.waitFor({ state: 'detached' });
      await page.setViewportSize({ width: 1000, height: 900 });
      await page.goto(`${base}/w/prod-eu/query`);
      await page.getByRole('button', { name: 'Show tables and samples' }).click();
      await panel.getByRole('button', { name: 'Most changed files' }).click();
      await panel.waitFor({ state: 'detached' });
      await untilParameter('q', (value) => value?.includes('top 20'));
      await page.setViewportSize({ width: 1440, height: 900 });
    },
    'a phone shows when, where and by whom': async () => {
      await page.setViewportSize({ width: 400, height: 860 });
      await page.goto(`${base}/w/prod-eu?tab=changes`);
      const told = await row('sshd_config').innerText();
      for (const part of ['Modified', 'web-01.example.net', 'vim.basic, root (sudo: amira)'])
        assert.ok(told.includes(part), `${part} is not in ${told}`);
      assert.match(told, /\d+ [A-Z][a-z]{2} \d\d:\d\d/);
      await page.goto(`${base}/w/prod-eu?tab=coverage`);
      const gap = await row('The agent was stopped.').innerText();
      for (const part of ['Ended', 'Everything monitored', 'db-01.example.net', '11 min'])
        assert.ok(gap.includes(part), `${part} is not in ${gap}`);
      assert.match(gap, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d – /);
      await page.setViewportSize({ width: 1440, height: 900 });
    },
    'a path that is too long loses its front': async () => {
      await page.setViewportSize({ width: 400, height: 860 });
      await page.goto(`${base}/w/prod-eu?tab=changes&q=module_with`);
      const directory = row('module_with').locator('.directory');
      await directory.waitFor();
      const { left, textLeft, right, textRight } = await directory.evaluate((box) => {
        const [outer, text] = [box.getBoundingClientRect(), box.firstChild.getBoundingClientRect()];
        return { left: outer.left, textLeft: text.left, right: outer.right, textRight: text.right };
      });
      assert.ok(textLeft < left - 20, `the front is still there: ${textLeft} and ${left}`);
      assert.ok(Math.abs(textRight - right) < 2, `the end is not: ${textRight} and ${right}`);
      await page.setViewportSize({ width: 1440, height: 900 });
    },
    'the list is exported whole': async () => {
      await page.goto(`${base}/w/prod-eu?tab=changes&category=Added`);
      const [download] = await Promise.all([page.waitForEvent('download'), exportAs('CSV')]);
      assert.match(download.suggestedFilename(), /\.csv$/);
      const call = world.calls.findLast(({ path }) => path.endsWith('/query.csv'));
      assert.match(call.body.query, /ChangeCategory == 'Added'/);
      for (const [label, ending] of [
        ['NDJSON', 'ndjson'],
        ['Parquet', 'parquet'],
        ['Arrow', 'arrow'],
      ]) {
        const [file] = await Promise.all([page.waitForEvent('download'), exportAs(label)]);
        assert.equal(file.suggestedFilename(), `changes-prod-eu.${ending}`);
        assert.ok(world.calls.some(({ path }) => path.endsWith(`/query.${ending}`)));
      }
      assert.equal(await page.getByText('The file was cut at the server’s limit').count(), 0);
    },
    'an export that was cut says so': async () => {
      await page.goto(`${base}/w/prod-eu?tab=changes&category=Removed`);
      await Promise.all([page.waitForEvent('download'), exportAs('CSV')]);
      await page.getByText('The file was cut at the server’s limit: there are more rows.').waitFor();
    },
    'keys lead through the pages, but not while typing': async () => {
      await page.keyboard.press('g');
      await page.keyboard.press('q');
      await untilPath('/w/prod-eu/query');
      await page.locator('.nav-item', { hasText: 'Overview' }).click();
      await untilPath('/w/prod-eu');
      await page.keyboard.press('/');
      await page.keyboard.type('gw sudo');
      await page.keyboard.press('Enter');
      await untilParameter('q', (value) => value === 'gw sudo');
      await page.locator('h1').click();
      await page.keyboard.press('?');
      await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor();
      await page.keyboard.press('Escape');
    },
    'a theme is chosen and kept': async () => {
      await page.getByRole('button', { name: 'Theme' }).click();
      await page.getByRole('menuitemradio', { name: 'Dark' }).click();
      await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
      await page.reload();
      await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
    },
    'a reader sees everything and may change nothing': async () => {
      world.roles = ['reader'];
      await page.goto(`${base}/workspaces`);
      await rows.first().waitFor();
      assert.ok(await page.getByRole('button', { name: 'Create workspace' }).isDisabled());
      assert.ok(await page.getByRole('button', { name: 'Enable staging' }).isDisabled());
      await page.goto(`${base}/w/prod-eu/settings`);
      await rows.first().waitFor();
      assert.ok(await page.getByRole('switch', { name: 'Rule /bin/login is enabled' }).isDisabled());
      world.roles = ['owner'];
    },
    'a session that ends leads to sign-in': async () => {
      await page.goto(`${base}/w/prod-eu`);
      await rows.first().waitFor();
      world.isSignedIn = false;
      await page.keyboard.press('r');
      await untilPath('/login');
      await page.getByLabel('Name').fill('admin');
      await page.getByLabel('Password').fill('correct horse');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await untilPath('/w/prod-eu');
    },
    'signing out ends the session, in other tabs, too, which had it without signing in': async () => {
      await page.goto(`${base}/workspaces`);
      const other = await browser.context.newPage();
      const kept = (tab) => tab.evaluate(() => sessionStorage.getItem('session-key'));
      await other.goto(`${base}/workspaces`);
      await other.locator('.grid-row').first().waitFor();
      assert.equal(await kept(other), SESSION_KEY);
      assert.equal(await other.evaluate(() => localStorage.getItem('session-key')), null);
      await page.getByRole('button', { name: 'Account of admin' }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await untilPath('/login');
      assert.equal(world.isSignedIn, false);
      assert.equal(await kept(page), null);
      await other.waitForFunction(() => sessionStorage.getItem('session-key') === null);
      await other.close();
    },
    'the browser had nothing to complain about': async () => assert.deepEqual(messages, []),
  });
  await browser.close();
  return count;
}
