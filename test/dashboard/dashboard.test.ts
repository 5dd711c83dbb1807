import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logIn } from '../support/chromium.js';
import { newUser } from '../support/dovecot.js';
import { RawClient, TOKEN } from '../support/running-broker.js';
import { ADMIN, row, ServedPage, see } from './served-page.js';

/** Long, as names of hosts can be: it has to fit into a narrow window. */
const NAME = 'broker-2.a-name-without-blanks-that-is-as-long-as-that-of-a-host.example.org';
const LONG = `${'long-'.repeat(40)}name@example.com`;

let served: ServedPage;
const user = newUser('anna');
let session: string;

beforeAll(async () => {
  served = await ServedPage.start({ name: NAME, pool: { connectionsPerAccount: 1 } });
  const { client } = served.running;
  session = await client.login(user);
  for (let count = 0; count < 30; count += 1) await client.call('mailbox.list', { session });
  served.endStep();
}, 60_000);
afterAll(async () => {
  await served?.stop();
});

/** The value under a title among the figures above the charts. */
function figure(page: Page, title: string) {
  return page.locator('#charts .stats > div').filter({ hasText: title }).locator('dd');
}

/** What the figures say when the pointer is at the right edge of the first chart. */
async function pointAtLast(page: Page): Promise<void> {
  const box = await page.locator('.plot').first().boundingBox();
  if (!box) throw new Error('There is no chart.');
  await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2);
}

describe('the page of the monitor', () => {
  it('refuses a wrong token and one of an application in words, and keeps none', async () => {
    const { page } = await served.open();
    for (const token of ['wrong', TOKEN]) {
      await logIn(page, token);
      await expect.poll(() => page.getByRole('alert').textContent()).toContain('The broker refused the token');
      expect(await page.getByRole('alert').textContent()).toContain('a proxy');
      expect(await page.locator('#board').isVisible()).toBe(false);
      await page.getByLabel('Admin token').fill('');
    }
    await logIn(page, ADMIN);
    await page.getByRole('heading', { name: 'Latency' }).waitFor();
    expect(await page.evaluate('JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])')).toBe(
      '["",{},{}]',
    );
    await page.reload();
    expect(await page.getByLabel('Admin token').inputValue()).toBe('');
    expect(JSON.stringify(served.running.logged)).not.toContain(ADMIN);
  });

  it('says in its heading and its title whose page it is, until the operator logs out', async () => {
    const { page } = await served.board();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe(`imap-broker ${NAME}`);
    expect(await page.title()).toBe(`${NAME} – imap-broker`);
    await page.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('imap-broker ');
    expect(await page.title()).toBe('imap-broker');
    expect(await page.locator('#about').textContent()).toBe('');
    expect(await page.getByLabel('Admin token').inputValue()).toBe('');
    expect(await page.locator('#board').isVisible()).toBe(false);
  });

  it('shows the last hour at once, and percentiles with one baseline, without a complaint of the browser', async () => {
    const { page, complaints } = await served.board();
    await expect.poll(() => page.locator('.plot canvas').count()).toBe(4);
    for (const title of ['p50', 'p95', 'p99']) expect(await figure(page, title).textContent()).toMatch(/ m?s$/);
    const bottoms = await page
      .locator('.chart dd')
      .evaluateAll((all) => all.map((it) => it.getBoundingClientRect().bottom));
    expect(new Set(bottoms.slice(0, 4)).size).toBe(1);
    expect(new Set(bottoms.slice(4)).size).toBe(1);
    const operator = await RawClient.open(served.running.broker.url, ADMIN);
    const { columns } = await operator.call('broker.history', {});
    await operator.close();
    await pointAtLast(page);
    await page
      .getByText(/^at \d\d:\d\d:\d\d$/)
      .first()
      .waitFor();
    const last = columns.requestsPerSecond.at(-1) ?? 0;
    expect(Number(await figure(page, 'answered').first().textContent())).toBeCloseTo(last, 0);
    expect(complaints).toEqual([]);
  });

  it('goes on with the last hour while it is open, and asks for nothing while it is hidden', async () => {
    const { page } = await served.open();
    await page.clock.install();
    await page.reload();
    const asked: string[] = [];
    page.on('websocket', (ws) =>
      ws.on('framesent', ({ payload }) => asked.push((JSON.parse(String(payload)) as { method: string }).method)),
    );
    await logIn(page, ADMIN);
    await page.clock.runFor(100);
    await expect.poll(() => asked).toContain('broker.history');
    await expect.poll(() => page.locator('.plot canvas').count()).toBe(4);
    served.endStep();
    asked.length = 0;
    await page.clock.fastForward(15_000);
    await expect.poll(() => asked).toContain('broker.history');
    const hide = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await hide(true);
    asked.length = 0;
    await page.clock.fastForward(600_000);
    expect(asked).toEqual([]);
    await hide(false);
    await expect.poll(() => asked).toContain('broker.history');
  });

  it('tells errors with their kind, application and rate', async () => {
    const { client } = served.running;
    await client.request('message.get', { session, mailbox: 'none such', uid: 1 }).answer.catch(() => {});
    const { page } = await served.board();
    const line = page.locator('#errors tbody tr').first();
    await expect.poll(() => line.textContent()).toMatch(/^[A-Z_]+webmail\d/);
    expect(await line.locator('.badge').getAttribute('class')).toMatch(/warn|bad/);
    expect(await figure(page, 'answered with an error').getAttribute('class')).toBe('bad');
    expect(await page.locator('#servers').textContent()).toContain('reachable');
  });

  it('shows the connections, waiting requests, sessions and latency of an account in a drawer', async () => {
    const { page } = await served.board('Accounts');
    const { id, release, ended } = await served.running.work(user);
    const waiting = served.running.client.call('mailbox.list', { session });
    await row(page, user).click();
    expect(await page.evaluate('document.activeElement.id')).toBe('account-title');
    await expect.poll(() => page.locator('#connections').textContent()).toContain(`${id}busy`);
    await expect.poll(() => page.locator('#waiting').textContent()).toContain('mailbox.list');
    await expect.poll(() => page.locator('#account-figures').textContent()).toMatch(/p95[\d.]+ m?s/);
    expect(await page.locator('#sessions tbody tr').count()).toBe(1);
    expect(await page.locator('#watches').textContent()).toContain('No folder is watched.');
    release();
    await Promise.all([ended, waiting]);
    await expect.poll(() => page.locator('#waiting').textContent()).toContain('No request waits.');
  });

  it('shows ten accounts on a phone and more when asked, and finds one by its whole login name', async () => {
    const { client } = served.running;
    const sessions: string[] = [];
    for (let count = 0; count < 10; count += 1) sessions.push(await client.login(newUser('many')));
    const { page } = await served.board('Accounts', { viewport: { width: 390, height: 844 } });
    const rows = page.locator('#accounts tbody tr');
    await expect.poll(() => rows.count()).toBe(10);
    await page.getByRole('button', { name: 'Show more: 10 of 11 are here' }).click();
    await expect.poll(() => rows.count()).toBe(11);
    await page.getByLabel('Login name').fill('none-such');
    await page.getByText('No account in use has this login name.').waitFor();
    await page.getByLabel('Login name').fill(user);
    await row(page, user).waitFor();
    expect(await page.locator('#more-accounts').isVisible()).toBe(false);
    for (const one of sessions) await client.call('session.close', { session: one });
  });

  it('goes to its parts by links, which the button Back undoes', async () => {
    const { page } = await served.board();
    await see(page, 'Requests');
    await page.locator('#slowest').getByText('session.open').first().waitFor();
    expect(await page.locator('#views [aria-current]').textContent()).toBe('Requests');
    expect(await page.locator('#charts').isVisible()).toBe(false);
    await page.goBack();
    await page.locator('#charts').waitFor();
    expect(await page.locator('#views [aria-current]').textContent()).toBe('Overview');
  });

  it('runs nothing that is written into it, and loads nothing from elsewhere', async () => {
    const { page } = await served.board();
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
    const { client } = served.running;
    const failing = { server: 'dovecot', user: odd, auth: { password: 'x' } };
    await client.request('session.open', failing).answer.catch(() => {});
    const { page, complaints } = await served.board('Requests');
    await page.locator('#slowest').getByText(odd).waitFor();
    expect(await page.locator('#slowest img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('spells out what turns the direction of a name', async () => {
    const { client } = served.running;
    const failing = { server: 'dovecot', user: 'user\u202egro.elpmaxe', auth: { password: 'x' } };
    await client.request('session.open', failing).answer.catch(() => {});
    const { page } = await served.board('Requests');
    const shown = 'user\\u{202e}gro.elpmaxe';
    await page.locator('#slowest').getByText(shown).click();
    expect(await page.locator('#account-title').textContent()).toBe(shown);
    await page.locator('#kick-account').click();
    expect(await page.locator('#confirm-title').textContent()).toBe(`Kick ${shown} (webmail, dovecot)?`);
  });

  it('gives a long name two lines of a list, and breaks no word beside it', async () => {
    const { client } = served.running;
    const own = await client.login(LONG);
    const { page } = await served.board('Accounts');
    await row(page, LONG).waitFor();
    const broken = `[...document.querySelectorAll('#accounts th, #accounts td:nth-child(n + 2)')]
      .filter((it) => it.checkVisibility() && !/[ -]/.test(it.textContent))
      .filter((it) => {
        const range = document.createRange();
        range.selectNodeContents(it);
        return new Set([...range.getClientRects()].map(({ top }) => Math.round(top / 8))).size > 1;
      })
      .map((it) => it.textContent)`;
    for (const width of [390, 800, 1060, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      expect((await row(page, LONG).boundingBox())?.height).toBeLessThan(60);
      expect(await page.evaluate(broken), `${width}`).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    }
    await client.call('session.close', { session: own });
  });

  it('says that the connection was lost wherever the page is scrolled to, and comes back by itself', async () => {
    const { page } = await served.board('Accounts', { viewport: { width: 390, height: 500 } });
    await page.context().setOffline(true);
    await served.kickPages();
    const lost = page.locator('#link.lost');
    await lost.getByText('The connection was lost').waitFor();
    const { bottom } = await lost.evaluate((it) => it.getBoundingClientRect());
    expect(bottom).toBe(500);
    await page.getByText('The broker cannot be reached.').waitFor();
    await page.context().setOffline(false);
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 10_000 });
  });

  it('has one socket where an operator logs out and in again while it tries to come back', async () => {
    const { page } = await served.open();
    let sockets = 0;
    page.on('websocket', () => {
      sockets += 1;
    });
    await page.clock.install();
    await logIn(page, ADMIN);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.clock.pauseAt(Date.now() + 1_000);
    await served.kickPages();
    await page.locator('#link.lost').waitFor();
    await page.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await logIn(page, ADMIN);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.clock.runFor(10_000);
    await page.evaluate('1');
    expect(sockets).toBe(2);
    await page.clock.resume();
  });

  it('begins the day at 00:00', async () => {
    const { page } = await served.open();
    const words = `import('/dashboard/words.js').then(({ clock, moment }) => {
      const early = new Date(2024, 0, 2, 0, 5);
      return [clock(early), moment(early)];
    })`;
    expect(await page.evaluate(words)).toEqual(['00:05:00', 'Jan 2, 00:05']);
  });
});
