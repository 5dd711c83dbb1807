import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished, vi } from 'vitest';
import type { BrokerOptions } from '../../src/broker/options.js';
import { STEP_MS } from '../../src/runtime/load/load.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { logIn, openPage, startChromium } from '../support/chromium.js';
import { OperatedBroker } from '../support/operated-broker.js';
import { TOKEN } from '../support/running-broker.js';

export const ADMIN = 'a-token-of-an-operator-for-tests';

/** A part of the page, as its link calls it. */
export type View = 'Overview' | 'Accounts' | 'Requests' | 'Sockets';

/** A broker that serves the page, and a browser. */
export class ServedPage {
  readonly running: OperatedBroker;
  readonly browser: Browser;
  /** Does now what the broker does every quarter of a minute: a step of its history ends. */
  readonly endStep: () => void;

  private constructor(running: OperatedBroker, browser: Browser, endStep: () => void) {
    this.running = running;
    this.browser = browser;
    this.endStep = endStep;
  }

  static async start(options: Partial<BrokerOptions> = {}): Promise<ServedPage> {
    const timers = vi.spyOn(globalThis, 'setInterval');
    const running = await OperatedBroker.start(() => ({
      monitor: { host: '127.0.0.1', port: 0 },
      tenants: [
        tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
        tenantWith({ name: 'operators', tokenHashes: [hashToken(ADMIN)], scopes: ['admin'] }),
      ],
      ...options,
    }));
    const steps = timers.mock.calls.filter(([, ms]) => ms === STEP_MS);
    timers.mockRestore();
    return new ServedPage(running, await startChromium(), () => {
      for (const [step] of steps) step();
    });
  }

  /** The page before a login. */
  async open(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const opened = await openPage(this.browser, this.running.broker.monitorUrl ?? '', options);
    onTestFinished(() => opened.page.context().close());
    return opened;
  }

  /** The page at which an operator has logged in, at one of its parts. */
  async board(
    view: View = 'Overview',
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const opened = await this.open(options);
    await logIn(opened.page, ADMIN);
    await see(opened.page, view);
    return opened;
  }

  /** The page with the drawer of an account open. */
  async drawer(user: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const opened = await this.board('Accounts', options);
    await row(opened.page, user).click();
    await opened.page.locator('#sessions td').first().waitFor();
    return opened;
  }

  /** Ends the sockets of all pages. */
  async kickPages(): Promise<void> {
    const { out } = await this.running.run('sockets', '--json');
    const { sockets } = JSON.parse(out) as { sockets: { id: string }[] };
    for (const { id } of sockets.filter((one) => one.id.startsWith('page-')))
      await this.running.run('kick', 'socket', id);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.running.stop();
  }
}

/** Goes to a part of the page, and waits until that is drawn. */
export async function see(page: Page, view: View): Promise<void> {
  await page.getByRole('link', { name: view }).click();
  await page
    .locator(`[data-view="${view.toLowerCase()}"] td, [data-view="${view.toLowerCase()}"] .empty`)
    .first()
    .waitFor();
  await page.locator('#about:not(:empty)').waitFor({ state: 'attached' });
}

/** The login name of an account in the list. */
export function row(page: Page, user: string) {
  return page.locator('#accounts').getByRole('button', { name: `Show ${user} (webmail, dovecot)`, exact: true });
}

/** Presses a button, and the one of the question that comes. */
export async function confirm(page: Page, button: ReturnType<Page['locator']>, verb: string): Promise<void> {
  await button.click();
  await page.locator('#confirm').getByRole('button', { name: verb, exact: true }).click();
}
