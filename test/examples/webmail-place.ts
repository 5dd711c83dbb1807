import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Browser, BrowserContextOptions, FrameLocator, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import type { MethodName, ParamsIn, Result } from '../../src/protocol/contract.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { projectRoot } from '../cli/built.js';
import { openPage, startChromium } from '../support/chromium.js';
import { Dovecot } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { type Relay, startRelay } from '../support/relay.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';

const ADMIN = 'a-token-of-an-operator-for-tests';

/** The webmail as its one command starts it, with a broker, a Dovecot and a browser. */
export class WebmailPlace {
  readonly dovecot: Dovecot;
  readonly browser: Browser;
  /** Between the webmail and the broker. */
  readonly relay: Relay;
  readonly url: string;
  readonly brokerUrl: string;
  readonly #program: WebmailProgram;
  readonly #stopBroker: () => Promise<void>;

  private constructor(
    parts: Pick<WebmailPlace, 'dovecot' | 'browser' | 'relay' | 'url' | 'brokerUrl'>,
    program: WebmailProgram,
    stopBroker: () => Promise<void>,
  ) {
    this.dovecot = parts.dovecot;
    this.browser = parts.browser;
    this.relay = parts.relay;
    this.url = parts.url;
    this.brokerUrl = parts.brokerUrl;
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
    const env = {
      IMAP_BROKER_URL: `ws://127.0.0.1:${relay.port}`,
      IMAP_BROKER_TOKEN: TOKEN,
      IMAP_SERVER: 'dovecot',
      PORT: '0',
    };
    const program = startProgram(env);
    const url = await program.url;
    return new WebmailPlace({ dovecot, browser, relay, url, brokerUrl: broker.url }, program, () => broker.stop());
  }

  /** Everything that the webmail complained of. */
  get complaints(): string {
    return this.#program.said().replace(/^The webmail is at .*\n/, '');
  }

  /** Ends all as Ctrl-C does. @returns whether nothing of the webmail is left */
  async stop(): Promise<boolean> {
    await this.browser.close();
    await endProgram(this.#program);
    await this.#stopBroker();
    await this.relay.close();
    await this.dovecot.stop();
    return !this.#program.signal(0);
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

  /** Calls a method for operators, on a socket of its own: a busy machine may let the broker close one that is kept. */
  async operate<M extends MethodName>(method: M, params: ParamsIn<M>): Promise<Result<M>> {
    const operator = await RawClient.open(this.brokerUrl, ADMIN);
    try {
      return await operator.call(method, params);
    } finally {
      await operator.close();
    }
  }

  /** How many sockets watch folders of a user: one for all tabs, as the webmail has one client. */
  async watches(user: string): Promise<number> {
    const { watches } = await this.operate('watch.list', { user });
    return watches.reduce((sum, { sockets }) => sum + sockets, 0);
  }
}

/** The webmail as a terminal runs it: its one command, in a process group of its own, to which Ctrl-C goes. */
interface WebmailProgram {
  child: ChildProcess;
  url: Promise<string>;
  said(): string;
  /** @returns whether there was a process that it could go to */
  signal(name: NodeJS.Signals | 0): boolean;
}

export function startProgram(env: Record<string, string>): WebmailProgram {
  const child = spawn('npm', ['start', '--silent', '--prefix', 'examples/webmail'], {
    cwd: projectRoot,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let text = '';
  const url = new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const [, found] = /The webmail is at (http:\S+)/.exec(text) ?? [];
      if (found) resolve(found);
    });
    child.once('close', () => reject(new Error(`The webmail did not start: ${text}`)));
  });
  const signal = (name: NodeJS.Signals | 0) => {
    try {
      return process.kill(-(child.pid ?? 0), name);
    } catch {
      return false;
    }
  };
  return { child, url, said: () => text, signal };
}

/** As Ctrl-C does. */
export async function endProgram({ child, signal }: WebmailProgram): Promise<void> {
  const gone = once(child, 'close');
  signal('SIGINT');
  await gone;
}

export async function signIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Opens the message with this subject from the list. */
export async function open(page: Page, subject: string): Promise<void> {
  await page.locator('#list .subject').getByText(subject, { exact: true }).click();
  await page.getByRole('heading', { name: subject, level: 1 }).waitFor();
}

/** The text of the open message. */
export function frame(page: Page): FrameLocator {
  return page.frameLocator('iframe[title="Text of the message"]');
}

export function subjects(page: Page): Promise<string[]> {
  return page.locator('#list .subject').allTextContents();
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
