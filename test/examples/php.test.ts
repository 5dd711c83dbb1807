import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { openPage, startChromium } from '../support/chromium.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { deterministicBytes, message } from '../support/mail.js';
import { freePorts } from '../support/ports.js';
import { runBroker, TOKEN } from '../support/running-broker.js';
import { waitFor } from '../support/wait-for.js';

const ATTACHED = deterministicBytes(3 * 1024 * 1024);
const [user, folder] = [newUser('reader'), mkdtempSync(join(tmpdir(), 'imap-broker-php-page-'))];
const html =
  '<style>p { color: teal }</style><p>Read <b>this</b>.</p><script>document.body.innerHTML = "scripted"</script>' +
  '<img src="http://127.0.0.1:1/seen.png" onerror="document.body.innerHTML = 1"><form action="http://127.0.0.1:1/"><button>Go</button></form>';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let php: Program;
let url: string;
let browser: Browser;
beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot, { servers: [dovecot.server({ name: 'main' })] });
  const attachments = [{ filename: 'Übersicht "März".pdf', contentType: 'application/pdf', content: ATTACHED }];
  const plain = Array.from({ length: 27 }, (_, at) =>
    message({ subject: `Number ${at + 1}`, text: `Text <${at + 1}>` }),
  );
  const odd = message({
    subject: '<b>Odd</b> & "quoted"',
    from: 'Zoë <zoe@example.com>',
    text: 'Read this.',
    html,
    attachments,
  });
  await dovecot.deliver(user, 'INBOX', [...plain, odd]);
  url = `http://127.0.0.1:${port}/`;
  const env = { IMAP_BROKER_URL: broker.url, IMAP_BROKER_TOKEN: TOKEN, IMAP_SERVER: 'main' };
  const ini = ['-d', `session.save_path=${folder}`, '-d', 'display_errors=stderr', '-d', 'error_reporting=-1'];
  php = new Program('php', [...ini, '-S', `127.0.0.1:${port}`, 'examples/php/index.php'], { cwd: projectRoot, env });
  await waitFor(async () => {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.destroy();
  });
  browser = await startChromium();
});
afterAll(async () => {
  await browser.close();
  await php.stop();
  await broker.stop();
  await dovecot.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Keeps a picture where the environment names a folder for it, to be looked at. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
}

describe('the webmail in PHP', () => {
  it.each([1280, 390])(
    'is read in a browser of %i pixels: log in, folders, pages, a message, its file, log out',
    async (width) => {
      const { page, complaints } = await openPage(browser, url, { viewport: { width, height: 800 } });
      await logIn(page, 'wrong');
      await expect.poll(() => page.getByRole('alert').textContent()).toContain('wrong');
      await picture(page, `php-login-${width}`);
      await logIn(page, PASSWORD);
      await page.getByRole('heading', { name: 'Inbox' }).waitFor();
      expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toContain('Sent');
      expect(await page.locator('.row').count()).toBe(25);
      expect(await page.locator('.row').first().textContent()).toContain('<b>Odd</b> & "quoted"');
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      await picture(page, `php-index-${width}`);
      await page.getByRole('link', { name: 'Older messages' }).click();
      await expect
        .poll(() => page.locator('.row .subject').allTextContents())
        .toEqual(['Number 3', 'Number 2', 'Number 1']);
      await page.goBack();
      await page.locator('.row a').first().click();
      await page.getByRole('heading', { name: '<b>Odd</b> & "quoted"' }).waitFor();
      const text = page.frameLocator('iframe');
      // A script that runs would have replaced all of it.
      await expect.poll(() => text.locator('p b').textContent()).toBe('this');
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      await picture(page, `php-message-${width}`);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Übersicht' }).click(),
      ]);
      expect(download.suggestedFilename()).toContain('Übersicht');
      const bytes = readFileSync(await download.path());
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(
        createHash('sha256').update(ATTACHED).digest('hex'),
      );
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      // The browser itself tells that the picture and the script of the mail were not let in, and of the status of the wrong password.
      expect(complaints.filter((text) => !/Content Security Policy|sandboxed|401/.test(text))).toEqual([]);
      await page.context().close();
    },
  );

  it('shows a login, and no mail, where the session has ended or never was, and says what is not there', async () => {
    expect(await (await fetch(`${url}?folder=INBOX&uid=1&validity=1&part=1`)).text()).toContain('Password');
    expect((await fetch(`${url}index.php`)).status).toBe(404);
    const { page } = await openPage(browser, url);
    await logIn(page, PASSWORD);
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    for (const query of [
      'folder=Nowhere',
      'folder=%ff',
      'folder=INBOX&uid=1&validity=1',
      'folder=INBOX&uid=999&validity=1&part=../1',
    ]) {
      expect((await page.goto(`${url}?${query}`))?.status(), query).toBe(404);
    }
    expect((await page.goto(`${url}?folder[]=x&cursor[]=x&uid[]=1`))?.status()).toBe(200);
    await page.context().close();
    expect(php.err).not.toMatch(/Warning|Notice|Deprecated|Fatal/);
  });
});
