import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUser } from '../support/dovecot.js';
import { confirm, row, ServedPage, see, type View } from './served-page.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const VIEWS: readonly View[] = ['Overview', 'Accounts', 'Requests', 'Sockets'];

let served: ServedPage;
const user = newUser('cleo');

/** What axe-core finds wrong with the page as it is; in dark, of the colours. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found: string[] = [];
  for (const [colorScheme, rules] of [
    ['light', ''],
    ['dark', "runOnly: ['color-contrast'],"],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const run = `axe.run({ ${rules} resultTypes: ['violations'] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => [id, target, failureSummary].join(' '))))`;
    found.push(...(await page.evaluate<string[]>(run)));
  }
  return found;
}

/** What reaches out of the window to the right. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(
    `[...document.querySelectorAll('body *')]
      .filter((it) => it.getBoundingClientRect().right > innerWidth + 1)
      .map((it) => it.outerHTML.slice(0, 80))`,
  );
}

/** A user with an account in use, and errors, so that no part of the page is empty. */
async function busy(): Promise<void> {
  const { client } = served.running;
  const session = await client.login(user);
  await client.call('mailbox.list', { session });
  for (const mailbox of ['none such', ''])
    await client.request('message.list', { session, mailbox, limit: 10 }).answer.catch(() => {});
  const unknown = { server: 'none-such', user, auth: { password: 'x' } };
  await client.request('session.open', unknown).answer.catch(() => {});
  served.endStep();
}

beforeAll(async () => {
  served = await ServedPage.start();
}, 60_000);
afterAll(async () => {
  await served?.stop();
});

describe('axe-core finds nothing', () => {
  it('at the login, refused or not, and on the page of a broker without an account', async () => {
    const { page } = await served.open();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Admin token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('refused').waitFor();
    expect(await violations(page)).toEqual([]);
    const { page: board } = await served.board();
    expect(await violations(board)).toEqual([]);
  });

  it('on each part of the page, in the menu, the drawer and a question, and when the broker is gone', async () => {
    await busy();
    const { page } = await served.board();
    await page.locator('.plot canvas').first().waitFor();
    for (const view of VIEWS) {
      await see(page, view);
      expect(await violations(page), view).toEqual([]);
    }
    await page.getByRole('button', { name: 'Actions' }).click();
    expect(await violations(page), 'menu').toEqual([]);
    await confirm(page, page.getByRole('menuitem', { name: 'Pause all requests' }), 'Pause');
    await page.locator('.notice').waitFor();
    await see(page, 'Accounts');
    await row(page, user).click();
    await page.locator('#sessions td').first().waitFor();
    expect(await violations(page), 'drawer').toEqual([]);
    await page.locator('#kick-account').click();
    expect(await violations(page), 'question').toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await confirm(page, page.locator('.notice').getByRole('button'), 'Resume');
    await page.context().setOffline(true);
    await served.kickPages();
    await page.locator('#link.lost').waitFor();
    expect(await violations(page), 'broker gone').toEqual([]);
  });
});

describe('a phone', () => {
  it('has the whole page in 390 pixels, in which axe-core finds nothing either', async () => {
    await busy();
    const { page } = await served.board('Overview', { viewport: { width: 390, height: 844 } });
    await page.locator('.plot canvas').first().waitFor();
    expect(await violations(page)).toEqual([]);
    for (const view of VIEWS) {
      await see(page, view);
      expect(await tooWide(page), view).toEqual([]);
    }
    await see(page, 'Accounts');
    await row(page, user).click();
    await page.locator('#sessions td').first().waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
  });
});

describe('a screen reader', () => {
  it('is told what each button, field and table is, and hears nothing of what only goes on', async () => {
    await busy();
    const { page } = await served.board();
    const tree = await page.locator('body').ariaSnapshot();
    expect(tree).toContain('status: Live');
    expect(tree).toContain('table "IMAP servers"');
    expect(tree).toContain('columnheader "State"');
    expect(tree).toContain('img "Chart: latency percentiles of the last hour"');
    expect(tree).not.toMatch(/- (button|textbox|searchbox|combobox|table|img)$/m);
    await page.setViewportSize({ width: 390, height: 844 });
    const narrow = await page.locator('#servers').ariaSnapshot();
    expect(narrow).toContain('columnheader "State"');
    expect(narrow).toContain('cell "reachable"');
    await page.evaluate(`{
      window.heard = [];
      const watch = (it) => heard.push(it.textContent);
      for (const it of document.querySelectorAll('[role="status"], [role="alert"], [aria-live]'))
        new MutationObserver(() => watch(it)).observe(it, { childList: true, characterData: true, subtree: true });
    }`);
    const drawn = await page.locator('#about').textContent();
    await expect.poll(() => page.locator('#about').textContent()).not.toBe(drawn);
    expect(await page.evaluate('heard')).toEqual([]);
  });
});
