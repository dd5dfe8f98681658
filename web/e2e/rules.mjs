// What a person does with rules.
import assert from 'node:assert/strict';

/** The steps, for a browser's page that is signed in. */
export function ruleSteps({ base, page, world, row, untilFocus }) {
  return {
    'a rule is switched, added and refused with the reason': async () => {
      await page.goto(`${base}/w/prod-eu/settings`);
      await page.getByRole('switch', { name: 'Rule /boot is enabled' }).click();
      await page.waitForFunction(
        () => !document.querySelector('[aria-label="Rule /boot is enabled"]')?.checked,
      );
      assert.equal(world.rules.find(({ name }) => name === '/boot').enabled, false);
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await untilFocus('input');
      assert.equal(await page.evaluate(() => document.activeElement.labels[0].textContent), 'Name*');
      await page.keyboard.type('web');
      await page.getByLabel(/^Path\s*\*?$/).fill('/etc/[a');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('close it with "]"').waitFor();
      await page.getByLabel(/^Path\s*\*?$/).fill('/srv/www/**');
      await page.getByRole('switch', { name: 'Store file content' }).click();
      await page.getByRole('button', { name: 'Save' }).click();
      await row('/srv/www/').waitFor();
      assert.equal(world.rules.find(({ name }) => name === 'web').uploadContent, true);
    },
    'what may be unwise about a rule is said once it is saved, and is gone when it is mended': async () => {
      const warning = page.getByText('“all” is saved.');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await untilFocus('input');
      await page.keyboard.type('all');
      await page.getByLabel(/^Path\s*\*?$/).fill('/**');
      await page.getByRole('button', { name: 'Save' }).click();
      await warning.waitFor();
      await page.getByText('changes will be many').waitFor();
      await page.getByRole('status').getByRole('button', { name: 'Edit' }).click();
      await page.getByLabel(/^Path\s*\*?$/).fill('/srv/all/**');
      await page.getByRole('button', { name: 'Save' }).click();
      await row('/srv/all/').waitFor();
      await warning.waitFor({ state: 'detached' });
    },
    'a form that holds something asks before it is dropped': async () => {
      const form = page.getByRole('dialog', { name: 'Add a rule' });
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await untilFocus('input');
      await page.keyboard.press('Escape');
      await form.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await untilFocus('input');
      await page.keyboard.type('half a name');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Keep editing' }).click();
      assert.equal(await form.getByRole('textbox', { name: 'Name' }).inputValue(), 'half a name');
      await form.getByRole('button', { name: 'Close' }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Discard' }).click();
      await form.waitFor({ state: 'detached' });
    },
  };
}
