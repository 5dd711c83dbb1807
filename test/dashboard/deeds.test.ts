import { once } from 'node:events';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { newUser } from '../support/dovecot.js';
import { RawClient } from '../support/running-broker.js';
import { confirm, row, ServedPage } from './served-page.js';

let served: ServedPage;
const user = newUser('bert');
let session: string;

beforeAll(async () => {
  served = await ServedPage.start();
  session = await served.running.client.login(user);
  await served.running.client.call('mailbox.list', { session });
}, 60_000);
afterAll(async () => {
  await served?.stop();
});

const said = (page: Page, text: string | RegExp) =>
  expect.poll(() => page.locator('#said').textContent()).toMatch(text);
const menu = async (page: Page, item: string) => {
  await page.getByRole('button', { name: 'Actions' }).click();
  return page.getByRole('menuitem', { name: item });
};

describe('an operator at the page', () => {
  it('pauses an account once that is confirmed, is told so, and resumes it', async () => {
    const { registry } = served.running.broker;
    const { page, complaints } = await served.drawer(user);
    const pause = page.locator('#pause-account');
    await pause.click();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Cancel');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.id')).toBe('pause-account');
    expect(registry.paused).toEqual([]);
    await confirm(page, pause, 'Pause');
    await expect.poll(() => registry.paused).toEqual([{ tenant: 'webmail', server: 'dovecot', user }]);
    await expect.poll(() => page.locator('#account-said').textContent()).toContain(`Paused ${user}`);
    await page.locator('#close-account').click();
    const notice = page.locator('.notice');
    expect(await notice.textContent()).toContain(`Paused: ${user} (webmail, dovecot). Requests wait.`);
    await confirm(page, notice.getByRole('button'), 'Resume');
    await expect.poll(() => registry.paused).toEqual([]);
    await notice.waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  it('replaces the connections of an account, and those of a server', async () => {
    await served.running.client.call('mailbox.list', { session });
    const { page } = await served.drawer(user);
    await page.locator('#connections td').first().waitFor();
    await confirm(page, page.locator('#reconnect-account'), 'Reconnect');
    await said(page, /^Reconnected bert.*: 1 connection replaced\.$/);
    await page.locator('#connections').getByText('The account has no connection.').waitFor();
    await page.locator('#close-account').click();
    await page.getByRole('link', { name: 'Overview' }).click();
    await confirm(page, page.getByRole('button', { name: 'Reconnect server dovecot' }), 'Reconnect');
    await said(page, 'Reconnected dovecot: 0 connections replaced.');
    await served.running.client.call('mailbox.list', { session });
  });

  it('kicks an account', async () => {
    const { ended } = await served.running.work(user);
    const { page } = await served.drawer(user);
    await confirm(page, page.locator('#kick-account'), 'Kick');
    await expect(ended).rejects.toMatchObject({ kind: 'CANCELLED' });
    await said(page, '1 connection ended');
  });

  it('ends one session of an account, and leaves the other', async () => {
    const { client } = served.running;
    await client.call('mailbox.list', { session });
    const other = await client.login(user);
    const { page } = await served.drawer(user);
    const sessions = page.locator('#sessions tbody tr');
    await expect.poll(() => sessions.count()).toBe(2);
    await confirm(page, sessions.last().getByRole('button'), 'End');
    await said(page, /^Ended session /);
    await expect.poll(() => sessions.count()).toBe(1);
    await expect(client.call('session.info', { session: other })).rejects.toMatchObject({
      data: { kind: 'SESSION_EXPIRED' },
    });
    await client.call('session.info', { session });
  });

  it('kicks one socket', async () => {
    const other = await RawClient.open(served.running.broker.url);
    onTestFinished(() => other.close());
    const closed = once(other.ws, 'close');
    const { page } = await served.board('Sockets');
    const ofWebmail = page.locator('#sockets tbody tr').filter({ hasText: 'webmail' });
    await expect.poll(() => ofWebmail.count()).toBe(2);
    await confirm(page, ofWebmail.last().getByRole('button'), 'Kick');
    await closed;
    await said(page, /^Kicked socket /);
    await expect.poll(() => ofWebmail.count()).toBe(1);
  });

  it('is told where that fails', async () => {
    const { client } = served.running;
    const gone = newUser('gone');
    const own = await client.login(gone);
    const { page } = await served.drawer(gone);
    await page.locator('#kick-account').click();
    await client.call('session.close', { session: own });
    await page.locator('#confirm-yes').click();
    await said(page, /^Kick failed: .*no account in use/);
    await expect.poll(() => page.locator('#account-about').textContent()).toContain('not in use now');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('accounts-title');
  });
});

describe('the keyboard alone', () => {
  it('goes through the menu, whose question gives the focus back', async () => {
    const { page } = await served.board();
    const opener = page.getByRole('button', { name: 'Actions' });
    await opener.focus();
    await page.keyboard.press('ArrowDown');
    const focused = () => page.evaluate('document.activeElement.id');
    const reached = [await focused()];
    for (const key of ['ArrowDown', 'ArrowDown', 'End', 'ArrowDown', 'ArrowUp', 'Home']) {
      await page.keyboard.press(key);
      reached.push(await focused());
    }
    expect(reached).toEqual(['pause-all', 'reconnect-all', 'drain', 'log-out', 'pause-all', 'log-out', 'pause-all']);
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('menu-open');
    await expect.poll(() => opener.getAttribute('aria-expanded')).toBe('false');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.locator('#confirm').waitFor();
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('menu-open');
    expect(served.running.broker.registry.paused).toEqual([]);
  });

  it('opens an account, stays in the drawer, and comes back to the row', async () => {
    const { page } = await served.board('Accounts');
    await row(page, user).focus();
    // Rounds of drawing do not take the focus from it.
    const drawn = await page.locator('#about').textContent();
    await expect.poll(() => page.locator('#about').textContent()).not.toBe(drawn);
    await page.keyboard.press('Enter');
    await page.locator('#sessions td').first().waitFor();
    for (let count = 0; count < 12; count += 1) {
      await page.keyboard.press('Tab');
      expect(
        await page.evaluate('document.activeElement === document.body || !!document.activeElement.closest("#account")'),
      ).toBe(true);
    }
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe(
      `Show ${user} (webmail, dovecot)`,
    );
  });
});

describe('a drain from the menu', () => {
  it('ends the broker once that is confirmed, shows what is left, and that it has ended', async () => {
    const own = await ServedPage.start();
    onTestFinished(() => own.stop());
    const runs = newUser('runs');
    await own.running.client.login(runs);
    const { ended, release } = await own.running.work(runs);
    const { page } = await own.board();
    await confirm(page, await menu(page, 'Drain the broker'), 'Drain');
    await own.running.broker.whenEnding;
    const notice = page.locator('.notice');
    const left = /^Draining: .* 1 connection left, for at most \d+/;
    await expect.poll(() => notice.textContent()).toMatch(left);
    const first = await notice.textContent();
    await expect.poll(() => notice.textContent()).not.toBe(first);
    expect(await notice.textContent()).toMatch(left);
    release();
    await ended;
    await own.running.client.close();
    await page.locator('#link.lost').waitFor();
    await said(page, 'The broker was drained and has ended.');
  });
});
