import { createServer } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { openPage, startChromium } from '../support/chromium.js';
import { Dovecot, promptIdle } from '../support/dovecot.js';
import { type Relay, startRelay } from '../support/relay.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';

const ADMIN = 'a-token-of-an-operator-for-tests';

/** The webmail as its one command starts it, with a broker, a Dovecot and a browser. */
export class WebmailPlace {
  readonly dovecot: Dovecot;
  readonly browser: Browser;
  readonly admin: RawClient;
  /** Between the webmail and the broker. */
  readonly relay: Relay;
  readonly url: string;
  readonly #program: Program;
  readonly #stopBroker: () => Promise<void>;

  private constructor(
    parts: Pick<WebmailPlace, 'dovecot' | 'browser' | 'admin' | 'relay' | 'url'>,
    program: Program,
    stopBroker: () => Promise<void>,
  ) {
    this.dovecot = parts.dovecot;
    this.browser = parts.browser;
    this.admin = parts.admin;
    this.relay = parts.relay;
    this.url = parts.url;
    this.#program = program;
    this.#stopBroker = stopBroker;
  }

  static async start(): Promise<WebmailPlace> {
    const [dovecot, browser] = await Promise.all([Dovecot.start({ settings: promptIdle }), startChromium()]);
    const broker = await runBroker(dovecot, {
      tenants: [
        tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
        tenantWith({ name: 'operators', tokenHashes: [hashToken(ADMIN)], scopes: ['admin'] }),
      ],
    });
    const relay = await startRelay(Number(new URL(broker.url).port));
    const admin = await RawClient.open(broker.url, ADMIN);
    const env = {
      IMAP_BROKER_URL: `ws://127.0.0.1:${relay.port}`,
      IMAP_BROKER_TOKEN: TOKEN,
      IMAP_SERVER: 'dovecot',
      PORT: '0',
    };
    const program = new Program('npm', ['start', '--silent', '--prefix', 'examples/webmail'], {
      cwd: projectRoot,
      env,
    });
    const [, url = ''] = await program.printed(/The webmail is at (http:\S+)/);
    return new WebmailPlace({ dovecot, browser, admin, relay, url }, program, () => broker.stop());
  }

  /** Everything that the webmail complained of. */
  get complaints(): string {
    return this.#program.err.replace(/^The webmail is at .*\n/, '');
  }

  async stop(): Promise<number | null> {
    await this.browser.close();
    const code = await this.#program.stop();
    await this.admin.close();
    await this.#stopBroker();
    await this.relay.close();
    await this.dovecot.stop();
    return code;
  }

  /** A page of the webmail, without a login. It is closed at the end of the test. */
  async page(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const opened = await openPage(this.browser, this.url, options);
    onTestFinished(() => opened.page.context().close());
    return opened;
  }

  /** A page at which a user has signed in. */
  async signedIn(user: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const opened = await this.page(options);
    await signIn(opened.page, user, this.dovecot.password);
    await opened.page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor();
    return opened;
  }

  /** How many accounts are watched. */
  async watches(user: string): Promise<number> {
    return (await this.admin.call('watch.list', { user })).total;
  }
}

export async function signIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** A server that a message must not reach: it counts connections, for even one of them would tell that the mail was read. */
export async function startTrap(): Promise<{ host: string; connections: () => number; close: () => void }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { host: `127.0.0.1:${port}`, connections: () => connections, close: () => server.close() };
}
