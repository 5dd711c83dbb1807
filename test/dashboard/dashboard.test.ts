import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { logIn, openPage, startChromium } from '../support/chromium.js';
import { newUser } from '../support/dovecot.js';
import { OperatedBroker } from '../support/operated-broker.js';
import { TOKEN } from '../support/running-broker.js';

const ADMIN = 'a-token-of-an-operator-for-tests';
/** Long, as names of hosts can be: it has to fit into a narrow window. */
const NAME = 'broker-2.a-name-without-blanks-that-is-as-long-as-that-of-a-host.example.org';

let running: OperatedBroker;
let browser: Browser;
const user = newUser('anna');
let session: string;

beforeAll(async () => {
  running = await OperatedBroker.start(() => ({
    name: NAME,
    monitor: { host: '127.0.0.1', port: 0 },
    pool: { connectionsPerAccount: 1 },
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'operators', tokenHashes: [hashToken(ADMIN)], scopes: ['admin'] }),
    ],
  }));
  browser = await startChromium();
  session = await running.client.login(user);
  await running.client.call('mailbox.list', { session });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

/** A page at which an operator has logged in. */
async function board(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const { page, complaints } = await openPage(browser, running.broker.monitorUrl ?? '', options);
  onTestFinished(() => page.context().close());
  await logIn(page, ADMIN);
  await page.getByRole('heading', { name: 'Load' }).waitFor();
  await page.locator('#accounts').getByRole('button', { name: user }).waitFor();
  return { page, complaints };
}

/** The value under a title among the figures. */
function figure(page: Page, title: string) {
  return page.locator('#figures div').filter({ hasText: title }).locator('dd');
}

/** Ends the sockets of all pages. */
async function kickPages(): Promise<void> {
  const { out } = await running.run('sockets', '--json');
  const { sockets } = JSON.parse(out) as { sockets: { id: string }[] };
  for (const { id } of sockets.filter((one) => one.id.startsWith('page-'))) await running.run('kick', 'socket', id);
}

describe('the page of the monitor', () => {
  it('refuses a wrong token and one of an application in words, and keeps none', async () => {
    const { page } = await openPage(browser, running.broker.monitorUrl ?? '');
    onTestFinished(() => page.context().close());
    for (const token of ['wrong', TOKEN]) {
      await logIn(page, token);
      await expect.poll(() => page.getByRole('alert').textContent()).toContain('The broker refused the token');
      expect(await page.getByRole('alert').textContent()).toContain('a proxy');
      expect(await page.locator('#board').isVisible()).toBe(false);
      await page.getByLabel('Admin token').fill('');
    }
    await logIn(page, ADMIN);
    await page.getByRole('heading', { name: 'Load' }).waitFor();
    expect(await page.evaluate('JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])')).toBe(
      '["",{},{}]',
    );
    await page.reload();
    expect(await page.getByLabel('Admin token').inputValue()).toBe('');
    expect(JSON.stringify(running.logged)).not.toContain(ADMIN);
  });

  it('says in its heading and its title whose page it is, until the operator logs out', async () => {
    const { page } = await board();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe(`imap-broker ${NAME}`);
    expect(await page.title()).toBe(`${NAME} – imap-broker`);
    await page.getByRole('button', { name: 'Log out' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('imap-broker ');
    expect(await page.title()).toBe('imap-broker');
    expect(await page.locator('#about').textContent()).toBe('');
  });

  it('shows figures that change by themselves, without a complaint of the browser', async () => {
    const { page, complaints } = await board();
    const rate = figure(page, 'Requests a second');
    const before = await rate.textContent();
    for (let count = 0; count < 200; count += 1) await running.client.call('broker.ping', {});
    await expect.poll(() => rate.textContent()).not.toBe(before);
    expect(await figure(page, '99 %').textContent()).toMatch(/ms|s$/);
    expect(await page.locator('#slowest').textContent()).toContain('session.open');
    expect(await page.locator('#servers').textContent()).toContain('reachable');
    expect(await page.locator('.uplot canvas').count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  it('shows the connections and waiting requests of an account', async () => {
    const { page } = await board();
    const { id, release, ended } = await running.work(user);
    const waiting = running.client.call('mailbox.list', { session });
    await page
      .getByRole('button', { name: `Show ${user} (webmail, dovecot)` })
      .first()
      .click();
    expect(await page.evaluate('document.activeElement.id')).toBe('account-title');
    await expect.poll(() => page.locator('#connections').textContent()).toContain(`${id}busy`);
    await expect.poll(() => page.locator('#waiting').textContent()).toContain('mailbox.list');
    release();
    await Promise.all([ended, waiting]);
    await expect.poll(() => page.locator('#waiting').textContent()).toContain('None waits.');
  });

  it('gives the focus back where an account is closed, and finds one by its whole login name', async () => {
    const { page } = await board();
    const opener = page.locator('#accounts').getByRole('button', { name: user });
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.locator('#close-account').focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe(
      `Show ${user} (webmail, dovecot)`,
    );
    await page.getByLabel('Whole login name').fill('nobody');
    await page.getByText('No account in use has this login name.').waitFor();
    await page.getByLabel('Whole login name').fill(user);
    await opener.waitFor();
  });

  it('says what came of something where one has scrolled to, as that the connection was lost', async () => {
    onTestFinished(async () => {
      await running.run('resume');
    });
    const { page } = await board({ viewport: { width: 390, height: 500 } });
    await page
      .getByRole('button', { name: `Show ${user} (webmail, dovecot)` })
      .first()
      .click();
    await page.locator('#account').getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    const paused = page.getByText(`Paused ${user}`);
    await paused.waitFor();
    const inView = (text: string) =>
      page.getByText(text).evaluate((it) => {
        const { top, bottom } = it.getBoundingClientRect();
        return top >= 0 && bottom <= 500;
      });
    expect(await inView(`Paused ${user}`)).toBe(true);
    await page.locator('#account').getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.getByText(`Resumed ${user}`).waitFor();
    await page.context().setOffline(true);
    await kickPages();
    await page.getByText('The connection was lost').waitFor();
    expect(await inView('The connection was lost')).toBe(true);
    await page.getByText('The broker cannot be reached.').waitFor();
    await page.context().setOffline(false);
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 10_000 });
  });

  it('pauses an account once that is confirmed, and resumes it', async () => {
    const { page, complaints } = await board();
    const account = { tenant: 'webmail', server: 'dovecot', user };
    await page
      .getByRole('button', { name: `Show ${user} (webmail, dovecot)` })
      .first()
      .click();
    const section = page.locator('#account');
    await section.getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Cancel');
    await page.keyboard.press('Escape');
    expect(running.broker.registry.paused).toEqual([]);
    await section.getByRole('button', { name: 'Pause' }).click();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await expect.poll(() => running.broker.registry.paused).toEqual([account]);
    await expect.poll(() => page.locator('#said').textContent()).toContain(`Paused ${user}`);
    await section.getByRole('button', { name: 'Resume' }).click();
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => running.broker.registry.paused).toEqual([]);
    await running.client.call('mailbox.list', { session });
    expect(complaints).toEqual([]);
  });

  it('kicks an account once that is confirmed', async () => {
    const { page } = await board();
    const { ended } = await running.work(user);
    await page
      .getByRole('button', { name: `Show ${user} (webmail, dovecot)` })
      .first()
      .click();
    await page.locator('#account').getByRole('button', { name: 'Kick' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Kick' }).click();
    await expect(ended).rejects.toMatchObject({ kind: 'CANCELLED' });
    await expect.poll(() => page.locator('#said').textContent()).toContain('1 connection ended');
  });

  it('can be used with the keyboard alone', async () => {
    const { page } = await openPage(browser, running.broker.monitorUrl ?? '');
    onTestFinished(() => page.context().close());
    await page.keyboard.press('Tab');
    await page.keyboard.type(ADMIN);
    await page.keyboard.press('Enter');
    await page.locator('#accounts').getByRole('button', { name: user }).waitFor();
    const reached: string[] = [];
    for (let count = 0; count < 15; count += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate<string>(
          'document.activeElement.getAttribute("aria-label") ?? (document.activeElement.id || document.activeElement.textContent)',
        ),
      );
    }
    const account = `Show ${user} (webmail, dovecot)`;
    const buttons = ['pause-all', 'drain', 'log-out', 'Pause server dovecot', 'sort', 'user', account];
    expect(reached).toEqual(expect.arrayContaining(buttons));
    await page.locator('#accounts').getByRole('button', { name: user }).focus();
    // Rounds of drawing do not take the focus from it.
    const drawn = await page.locator('#about').textContent();
    await expect.poll(() => page.locator('#about').textContent()).not.toBe(drawn);
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(`Account ${user} (webmail, dovecot)`);
  });

  it('says each button, field and table to a screen reader', async () => {
    await running.client.call('mailbox.list', { session });
    const { page } = await board();
    const tree = await page.locator('body').ariaSnapshot();
    expect(tree).toContain('status: Live');
    expect(tree).toContain('table "Servers"');
    expect(tree).toContain('columnheader "Breaker"');
    expect(tree).toContain('img "Chart: latency percentiles of the last minute"');
    expect(tree).not.toMatch(/- (button|textbox|searchbox|combobox|table|img)$/m);
    await page.setViewportSize({ width: 390, height: 844 });
    const narrow = await page.locator('#servers').ariaSnapshot();
    expect(narrow).toContain('columnheader "Breaker"');
    expect(narrow).toContain('cell "reachable"');
  });

  it.each([390, 1280])('fits into %i pixels without scrolling sideways', async (width) => {
    await running.client.call('mailbox.list', { session });
    const { page } = await board({ viewport: { width, height: 844 } });
    await page
      .getByRole('button', { name: `Show ${user} (webmail, dovecot)` })
      .first()
      .click();
    await page.locator('#connections td').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const wide =
      '[...document.querySelectorAll("body *")].filter((it) => it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.outerHTML.slice(0, 80))';
    expect(await page.evaluate(wide)).toEqual([]);
  });

  it.each([1060, 1280])('breaks no word of other columns for a long login name in %i pixels', async (width) => {
    const long = `${'long-'.repeat(20)}name@example.com`;
    const own = await running.client.login(long);
    const { page } = await board({ viewport: { width, height: 900 } });
    const row = page.getByRole('row').filter({ has: page.getByRole('button', { name: `Show ${long}` }) });
    await row.first().waitFor();
    const linesOf = `[...document.querySelectorAll('#accounts th, #accounts td:nth-child(n + 2)')]
      .filter((it) => !/[ -]/.test(it.textContent))
      .filter((it) => {
        const range = document.createRange();
        range.selectNodeContents(it);
        return new Set([...range.getClientRects()].map(({ top }) => top)).size > 1;
      })
      .map((it) => it.textContent)`;
    expect(await page.evaluate(linesOf)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await running.client.call('session.close', { session: own });
  });

  it('runs nothing that is written into it, and loads nothing from elsewhere', async () => {
    const { page } = await board();
    await page.evaluate(`{
      window.blocked = [];
      document.addEventListener('securitypolicyviolation', (event) => blocked.push(event.effectiveDirective));
      for (const [name, text] of [['script', 'window.ran = true'], ['style', 'body { color: red }']]) {
        const made = document.createElement(name);
        made.textContent = text;
        document.body.append(made);
      }
      fetch('http://127.0.0.1:1/').catch(() => {});
    }`);
    const blocked = ['connect-src', 'script-src-elem', 'style-src-elem'];
    await expect.poll(() => page.evaluate('blocked.sort()')).toEqual(blocked);
    expect(await page.evaluate('window.ran')).toBeUndefined();
  });

  it('draws what users are called as text', async () => {
    const odd = '<img/src=x>';
    await running.client
      .request('session.open', { server: 'dovecot', user: odd, auth: { password: 'x' } })
      .answer.catch(() => {});
    const { page, complaints } = await board();
    await page.locator('#slowest').getByText(odd).waitFor();
    expect(await page.locator('#slowest img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('says that the connection was lost, and comes back by itself', async () => {
    const { page } = await board();
    await kickPages();
    await page.getByText('The connection was lost').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
  });

  it('forgets the token when one logs out', async () => {
    const { page } = await board();
    await page.getByRole('button', { name: 'Log out' }).click();
    expect(await page.getByLabel('Admin token').inputValue()).toBe('');
    expect(await page.locator('#board').isVisible()).toBe(false);
  });
});

describe('a drain from the page', () => {
  it('ends the broker once that is confirmed, shows what is left, and that it has ended', async () => {
    const own = await OperatedBroker.start(() => ({
      monitor: { host: '127.0.0.1', port: 0 },
      tenants: [
        tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
        tenantWith({ name: 'operators', tokenHashes: [hashToken(ADMIN)], scopes: ['admin'] }),
      ],
    }));
    onTestFinished(() => own.stop());
    const runs = newUser('runs');
    await own.client.login(runs);
    const { ended, release } = await own.work(runs);
    const { page } = await openPage(browser, own.broker.monitorUrl ?? '');
    onTestFinished(() => page.context().close());
    await logIn(page, ADMIN);
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await own.broker.whenEnding;
    const said = page.locator('#said');
    await expect.poll(() => said.textContent()).toMatch(/^Draining: .* 1 connection left, for at most \d+/);
    const first = await said.textContent();
    await expect.poll(() => said.textContent()).not.toBe(first);
    expect(await said.textContent()).toMatch(/^Draining: .* 1 connection left, for at most \d+/);
    release();
    await ended;
    await own.client.close();
    await page.getByText('The connection was lost').waitFor();
    expect(await said.textContent()).toBe('The broker was drained and has ended.');
  });
});
