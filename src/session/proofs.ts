import { createHmac, randomBytes } from 'node:crypto';
import { BrokerError } from '../protocol/errors.js';
import { putLast } from '../runtime/put-last.js';
import { Turns } from '../runtime/turns.js';
import type { Secret } from './session.js';

/** Milliseconds that credentials count as proven after a login with them. */
const RIGHT_MS = 300_000;
/** Milliseconds that refused credentials are refused without a login: servers punish repetition. */
const WRONG_MS = 600_000;
const MOST = 100_000;

/** What is known of credentials without asking the IMAP server. Only keyed hashes are kept. */
export class Proofs {
  readonly #key = randomBytes(32);
  readonly #judged = new Map<string, { right: boolean; until: number }>();
  readonly #turns = new Turns();
  /** Each request of a session asks with the same secret. */
  readonly #prints = new WeakMap<Secret, { accountKey: string; print: string }>();

  /**
   * Makes sure that credentials are right: from memory, else by one login for all callers that ask meanwhile.
   * @param login rejects with IMAP_AUTH_FAILED when the credentials are wrong
   * @returns whether there was a login
   * @throws BrokerError IMAP_AUTH_FAILED, or what the login throws
   */
  async prove(accountKey: string, secret: Secret, signal: AbortSignal, login: () => Promise<void>): Promise<boolean> {
    const print = this.#print(accountKey, secret);
    return await this.#turns.take(
      print,
      signal,
      () => this.#recall(print, secret),
      () => this.#login(print, login),
    );
  }

  /** Whether credentials were refused a short while ago. */
  isWrong(accountKey: string, secret: Secret): boolean {
    return this.#lookUp(this.#print(accountKey, secret)) === false;
  }

  /** The server refused credentials that were right before. */
  refused(accountKey: string, secret: Secret): void {
    this.#remember(this.#print(accountKey, secret), false);
  }

  /** Credentials that were right may be out of date: the next use asks the server. Wrong ones stay wrong. */
  doubt(accountKey: string, secret: Secret): void {
    const print = this.#print(accountKey, secret);
    if (this.#lookUp(print)) this.#judged.delete(print);
  }

  /** @returns false, for no login, when the credentials are known to be right */
  #recall(print: string, secret: Secret): false | undefined {
    const known = this.#lookUp(print);
    if (known !== false) return known ? false : undefined;
    throw refusedBefore(secret);
  }

  async #login(print: string, login: () => Promise<void>): Promise<true> {
    try {
      await login();
      this.#remember(print, true);
      return true;
    } catch (error) {
      const kind = error instanceof BrokerError ? error.kind : undefined;
      if (kind === 'IMAP_AUTH_FAILED' || kind === 'IMAP_TOKEN_EXPIRED') this.#remember(print, false);
      throw error;
    }
  }

  #lookUp(print: string): boolean | undefined {
    const known = this.#judged.get(print);
    return known && known.until > performance.now() ? known.right : undefined;
  }

  #remember(print: string, right: boolean): void {
    putLast(this.#judged, print, { right, until: performance.now() + (right ? RIGHT_MS : WRONG_MS) }, MOST);
  }

  #print(accountKey: string, secret: Secret): string {
    const known = this.#prints.get(secret);
    if (known?.accountKey === accountKey) return known.print;
    const kind = 'password' in secret ? ['password', secret.password] : ['token', secret.accessToken];
    const print = createHmac('sha256', this.#key)
      .update(JSON.stringify([accountKey, ...kind]))
      .digest('base64');
    this.#prints.set(secret, { accountKey, print });
    return print;
  }
}

/** The error of credentials that the server refused a short while ago. */
export function refusedBefore(secret: Secret): BrokerError {
  const [kind, what] =
    'password' in secret
      ? (['IMAP_AUTH_FAILED', 'credentials'] as const)
      : (['IMAP_TOKEN_EXPIRED', 'access token'] as const);
  return new BrokerError(kind, `The IMAP server refused the ${what} a short while ago.`);
}
