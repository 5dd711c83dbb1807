import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../cli/built.js';
import { message } from '../support/mail.js';
import { freePorts } from '../support/ports.js';
import { messageTests } from './webmail-messages.js';
import { endProgram, frame, open, signIn, startProgram, subjects, WebmailPlace } from './webmail-place.js';

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PHONE = { viewport: { width: 390, height: 844 } };

let place: WebmailPlace;
beforeAll(async () => {
  place = await WebmailPlace.start();
});
afterAll(async () => {
  const { complaints } = place;
  expect(await place.stop()).toBe(true);
  expect(complaints).toBe('');
});

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axeSource, 'utf8'));
  // The text of a message is its sender's; no script, and so not axe, can run in its frame.
  const script =
    "axe.run({ exclude: ['iframe'] }).then((found) => found.violations.map((one) => one.id + ' ' + one.nodes.map((node) => node.html).join(' ')))";
  return page.evaluate<string[]>(script);
}

/** Whether the page is wider than the window. */
const overflows = (page: Page) => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');

it('is strict TypeScript', async () => {
  const tsc = join(projectRoot, 'node_modules/.bin/tsc');
  const { stdout } = await promisify(execFile)(tsc, ['-p', 'examples/webmail'], { cwd: projectRoot }).catch(
    (error) => error,
  );
  expect(stdout).toBe('');
});

describe('signing in', () => {
  it('says in words that the password is wrong, and leads to the page that was asked for when it is right', async () => {
    const user = place.dovecot.user();
    await place.dovecot.deliver(user, 'Später', message({ subject: 'Found' }));
    const { page } = await place.page();
    await page.goto(`${place.url}/?folder=${encodeURIComponent('Später')}`);
    await signIn(page, user, 'wrong');
    expect(await page.getByRole('alert').textContent()).toContain('refuses this user name and password');
    expect(await page.getByLabel('User name').inputValue()).toBe(user);
    await page.getByLabel('Password').fill(place.dovecot.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Später' }).waitFor();
    expect(await subjects(page)).toEqual(['Found']);
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name === 'webmail');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    expect(page.url()).not.toContain(cookie?.value ?? '');
  });

  it('leads to no other site', async () => {
    const user = place.dovecot.user();
    for (const next of ['//evil.example/', '/\\evil.example/', 'https://evil.example/', 'javascript:alert(1)']) {
      const body = new URLSearchParams({ user, password: place.dovecot.password, next });
      const { status, headers } = await fetch(`${place.url}/login`, {
        method: 'POST',
        body,
        redirect: 'manual',
        headers: { origin: place.url },
      });
      expect([status, headers.get('location')]).toEqual([303, '/']);
    }
  });

  it('is over for all pages when the session ends: the open page goes to the login by itself, and back afterwards', async () => {
    const user = place.dovecot.user();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Still here' }));
    const { page } = await place.signedIn(user);
    await open(page, 'Still here');
    await expect.poll(() => place.watches(user)).toBe(1);
    await place.operate('session.revoke', { tenant: 'webmail', user });
    await page.getByText('Your session has ended').waitFor();
    await signIn(page, user, place.dovecot.password);
    await page.getByRole('heading', { name: 'Still here', level: 1 }).waitFor();
  });

  it('is told by the next page, whatever a page has asked for beside that', async () => {
    const user = place.dovecot.user();
    const form = new URLSearchParams({ user, password: place.dovecot.password });
    const headers = { origin: place.url.replace(/\/$/, '') };
    const login = await fetch(`${place.url}/login`, { method: 'POST', headers, body: form, redirect: 'manual' });
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await place.operate('session.revoke', { tenant: 'webmail', user });
    const get = (path: string, more = {}) => fetch(`${place.url}${path}`, { headers: { cookie, ...more } });
    for (const beside of [await get('/', { 'x-changes': '1' }), await get('/body?v=1&uid=1')]) {
      expect(beside.status).toBe(401);
      // Without the cookie the next page would only ask to sign in.
      expect(beside.headers.getSetCookie()).toEqual([]);
    }
    const next = await get('/');
    expect(next.status).toBe(401);
    expect(await next.text()).toContain('Your session has ended');
    expect(next.headers.getSetCookie()[0]).toMatch(/^webmail=;/);
  });

  it('shows nothing behind the back button after signing out', async () => {
    const user = place.dovecot.user();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Private' }));
    const { page } = await place.signedIn(user);
    await open(page, 'Private');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Password').waitFor();
    await page.goBack();
    await page.getByLabel('Password').waitFor();
    expect(await page.content()).not.toContain('Private');
  });

  it('writes times as they are where the browser is, and as they are on the server for a browser of nowhere', async () => {
    const user = place.dovecot.user();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Dated', date: new Date('2024-05-06T22:08:09Z') }));
    const sentAt = '.sender time';
    const { page } = await place.signedIn(user, { timezoneId: 'Pacific/Auckland' });
    await open(page, 'Dated');
    expect(await page.locator(sentAt).textContent()).toBe('7 May 2024, 10:08');
    for (const timeZone of ['', 'Nowhere/At all', 'x'.repeat(100_000)]) {
      const { page: other } = await place.page();
      await other.goto(place.url);
      await other.evaluate(`document.querySelector('input[name=zone]').value = ${JSON.stringify(timeZone)}`);
      await signIn(other, user, place.dovecot.password);
      await open(other, 'Dated');
      const local = new Date('2024-05-06T22:08:09Z').toLocaleString('en-GB', {
        dateStyle: 'medium',
        timeStyle: 'short',
      });
      expect(await other.locator(sentAt).textContent()).toBe(local);
    }
  });

  it('refuses posts from other sites', async () => {
    const user = place.dovecot.user();
    const { page } = await place.signedIn(user);
    const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    for (const path of ['/login', '/act', '/send', '/logout']) {
      const headers = {
        cookie: cookies,
        origin: 'https://evil.example',
        'content-type': 'application/x-www-form-urlencoded',
      };
      expect((await fetch(`${place.url}${path}`, { method: 'POST', headers, body: 'a=b' })).status).toBe(403);
    }
  });
});

messageTests(() => place);

describe('the list', () => {
  it('shows what arrives without a reload, and ends its watch with the tab', async () => {
    const user = place.dovecot.user();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'First' }));
    const { page } = await place.signedIn(user);
    await expect.poll(() => place.watches(user)).toBe(1);
    await page.evaluate('window.same = true');
    await page.locator('#list input[name=uid]').check();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Second', from: 'Bo <bo@example.com>' }));
    await expect.poll(() => subjects(page)).toEqual(['Second', 'First']);
    await page.getByText('Bo: Second').waitFor();
    expect(await page.title()).toMatch(/^\(2\) /);
    expect(await page.evaluate('window.same')).toBe(true);
    expect(await page.locator('#list input:checked').count()).toBe(1);
    await page.close();
    await expect.poll(() => place.watches(user)).toBe(0);
  });

  it('shows what arrives between the page and the beginning of its watch', async () => {
    const user = place.dovecot.user();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'First' }));
    const { page } = await place.signedIn(user);
    const deliver = async () => {
      await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Between' }));
      // The broker hears of it now, and not when the watch has begun.
      await expect.poll(async () => (await page.request.get(place.url)).text()).toContain('Between');
    };
    await page.route('**/live?*', (route) => deliver().then(() => route.continue()), { times: 1 });
    await page.reload();
    await expect.poll(() => subjects(page)).toEqual(['Between', 'First']);
  });

  it('pages with cursors, searches, and the back button leads back through all of it', async () => {
    const user = place.dovecot.user();
    await place.dovecot.bulkDeliver(
      user,
      'INBOX',
      120,
      (index) => `Subject: Number ${index + 1}\r\nFrom: a@example.com\r\n\r\nText ${index + 1}\r\n`,
    );
    const { page } = await place.signedIn(user);
    expect((await subjects(page)).slice(0, 2)).toEqual(['Number 120', 'Number 119']);
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByRole('link').filter({ hasText: 'Number 70' }).waitFor();
    expect(await subjects(page)).toHaveLength(50);
    await open(page, 'Number 33');
    await page.getByRole('searchbox').fill('Text 77');
    await page.keyboard.press('Enter');
    await page.getByText('1 found for').waitFor();
    expect(await subjects(page)).toEqual(['Number 77']);
    await page.goBack();
    await page.getByRole('heading', { name: 'Number 33', level: 1 }).waitFor();
    await page.goBack();
    expect((await subjects(page))[0]).toBe('Number 70');
    expect(await page.locator('.open').count()).toBe(0);
    await page.goBack();
    expect((await subjects(page))[0]).toBe('Number 120');
  });

  it('flags, moves and deletes what is chosen, in folders of any name', async () => {
    const user = place.dovecot.user();
    const folder = 'Entwürfe & Ideen/日本 語 %25+?#"';
    await place.dovecot.deliver(
      user,
      'INBOX',
      ['One', 'Two', 'Three'].map((subject) => message({ subject })),
    );
    await place.dovecot.deliver(user, folder, message({ subject: 'Inside' }));
    await place.dovecot.deliver(user, 'Trash', message({ subject: 'Old' }));
    const { page } = await place.signedIn(user);
    const choose = (subject: string) => page.getByLabel(`Select ${subject}`).check();
    const press = (name: string) => page.locator('#list').getByRole('button', { name }).click();
    await choose('One');
    await choose('Two');
    await press('Star');
    await page.getByText('Starred.').waitFor();
    expect(await page.locator('.row .icon-flagged').count()).toBe(2);
    await choose('Two');
    await press('Move');
    await page.locator('#move-list').getByRole('button', { name: '日本 語' }).click();
    await page.getByText('The message was moved').waitFor();
    await choose('Three');
    await press('Delete');
    await page.getByText('moved to Trash').waitFor();
    expect(await subjects(page)).toEqual(['One']);
    await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: '日本 語' }).click();
    await page.getByRole('heading', { name: '日本 語', level: 1 }).waitFor();
    expect(await subjects(page)).toEqual(['Two', 'Inside']);
    await open(page, 'Two');
    await page.locator('#message').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('moved to Trash').waitFor();
    expect(await subjects(page)).toEqual(['Inside']);
    await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: 'Trash' }).click();
    await page.getByRole('heading', { name: 'Trash', level: 1 }).waitFor();
    await choose('Old');
    await press('Delete');
    await page.getByText('deleted for good').waitFor();
    expect((await subjects(page)).sort()).toEqual(['Three', 'Two']);
  });

  it('stays right when messages are clicked faster than they come', async () => {
    const user = place.dovecot.user();
    await place.dovecot.bulkDeliver(
      user,
      'INBOX',
      40,
      (index) => `Subject: Number ${index + 1}\r\nFrom: a@example.com\r\n\r\nText ${index + 1}\r\n`,
    );
    const { page, complaints } = await place.signedIn(user);
    const addresses = await page
      .locator('#list .row > a')
      .evaluateAll((all) => all.map((it) => it.getAttribute('href') ?? ''));
    for (const at of [0, 1, 2, 3, 4, 5]) await page.locator('#list .row > a').nth(at).click({ noWaitAfter: true });
    const left = addresses.slice(0, -1).map((address) => page.goto(`${place.url}${address}`).catch(() => 'left'));
    // Which of them the browser ends at is not said.
    await Promise.all(left);
    await page.goto(`${place.url}${addresses.at(-1)}`);
    await page.getByRole('heading', { name: 'Number 1', level: 1 }).waitFor();
    await frame(page).getByText('Text 1', { exact: true }).waitFor();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'After the storm' }));
    await page.locator('#list').getByText('After the storm').waitFor();
    expect(complaints).toEqual([]);
    const waiting = await place.operate('request.waiting', { tenant: 'webmail', server: 'dovecot', user });
    expect(waiting.total).toBe(0);
  });
});

describe('without the broker', () => {
  it('says so at the login, where no broker has been there since the start of the webmail', async () => {
    const [port = 0] = await freePorts(1);
    const program = startProgram({
      IMAP_BROKER_URL: `ws://127.0.0.1:${port}`,
      IMAP_BROKER_TOKEN: 'any-token-of-an-application',
      PORT: '0',
    });
    onTestFinished(() => endProgram(program));
    const origin = await program.url;
    const body = new URLSearchParams({ user: 'anna', password: 'secret' });
    const answer = await fetch(`${origin}/login`, { method: 'POST', headers: { origin }, body });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('The mail service does not answer');
    expect(program.said()).toContain('The broker does not answer yet');
  }, 30_000);

  it('says so, and goes on by itself when the broker is back', async () => {
    const user = place.dovecot.user();
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Before' }));
    const { page } = await place.signedIn(user);
    await expect.poll(() => place.watches(user)).toBe(1);
    const storageState = await page.context().storageState();
    onTestFinished(() => place.relay.thaw());
    place.relay.freeze();
    place.relay.cut();
    // A tab that is opened meanwhile is told as well, and comes back by itself.
    const opening = place.page({ storageState });
    await page.getByText('The mail service does not answer. Trying again').waitFor({ timeout: 30_000 });
    const { page: other } = await opening;
    await other.getByRole('heading', { name: 'The mail service does not answer' }).waitFor();
    place.relay.cut();
    place.relay.thaw();
    await page.getByText('The mail service does not answer').waitFor({ state: 'detached', timeout: 30_000 });
    await place.dovecot.deliver(user, 'INBOX', message({ subject: 'Afterwards' }));
    await page.locator('#list').getByText('Afterwards').waitFor();
    await other.locator('#list').getByText('Afterwards').waitFor();
  }, 90_000);
});

describe('all people can use it', () => {
  it.each<[string, BrowserContextOptions]>([
    ['a wide window', {}],
    ['a phone', PHONE],
  ])('axe-core finds nothing on %s, and nothing is wider than it', async (_, options) => {
    const user = place.dovecot.user();
    const subject = `Huge ${'word '.repeat(200)}${'x'.repeat(900)}`;
    await place.dovecot.deliver(user, 'Ordner/mit/einem sehr langen Namen, der nirgends hineinpasst', message());
    await place.dovecot.deliver(user, 'INBOX', [message({ subject: 'Seen' }), message({ subject: 'Starred' })], {
      flags: ['\\Seen', '\\Flagged'],
    });
    await place.dovecot.deliver(
      user,
      'INBOX',
      message({
        subject,
        text: 'x',
        to: `${'l'.repeat(60)}@${'host'.repeat(40)}.example`,
        attachments: [{ filename: `${'n'.repeat(240)}.pdf`, content: 'x' }],
      }),
    );
    const { page, complaints } = await place.page(options);
    const check = async (what: string) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect([what, colorScheme, await violations(page)]).toEqual([what, colorScheme, []]);
      }
      expect([what, await overflows(page)]).toEqual([what, false]);
    };
    await page.getByLabel('Password').waitFor();
    await check('login');
    await signIn(page, user, place.dovecot.password);
    await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor();
    await page.getByLabel('Select Seen').check({ force: true });
    await check('index');
    await page.locator('#list').getByRole('link').filter({ hasText: 'Huge' }).click();
    await page.getByRole('heading', { level: 1, name: 'Huge' }).waitFor();
    await check('message');
    await page.getByRole('link', { name: 'Reply', exact: true }).click();
    await page.getByRole('heading', { name: 'Reply' }).waitFor();
    await check('reply');
    expect(complaints).toEqual([]);
  });
});
