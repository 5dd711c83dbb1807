import type { Namespaces } from '../../imap/connection/namespaces.js';
import type { ServerOptions } from '../../imap/login/server-options.js';
import type { Software } from '../../imap/login/software.js';
import type { Capabilities } from '../../protocol/methods/session.js';
import type { KeptPerAccount } from '../../runtime/kept-per-account.js';
import { putLast } from '../../runtime/put-last.js';
import { Turns } from '../../runtime/turns.js';

/** What a server offers a user. */
export interface Facts {
  capabilities: Capabilities;
  namespace: Namespaces;
  /** What the server calls itself; null where it does not tell. */
  software: Software | null;
  /** All capabilities, in the server's words. */
  offered: readonly string[];
}

/** Facts, and the server that told them. */
export interface ServerAnswer {
  facts: Facts;
  server: ServerOptions;
}

/** Milliseconds that facts are kept: what a server offers changes when the server is updated, so rarely. */
const KNOWN_MS = 600_000;
const MOST = 10_000;

/** What servers offer the users of accounts. A server that a reload has moved is asked anew. */
export class ServerFacts implements KeptPerAccount {
  readonly #kept = new Map<string, ServerAnswer & { until: number }>();
  readonly #turns = new Turns();

  /** Accounts of which something is known. */
  get size(): number {
    return this.#kept.size;
  }

  /**
   * Asks the server once for all requests that come at the same time.
   * @param keeps asked when the answer has come, whether to keep it: the account may have ended meanwhile
   */
  take(
    accountKey: string,
    server: ServerOptions | undefined,
    signal: AbortSignal,
    ask: () => Promise<ServerAnswer>,
    keeps: () => boolean,
  ): Promise<Facts> {
    const known = () => this.#recall(accountKey, server);
    return this.#turns.take(accountKey, signal, known, async () => {
      const answer = await ask();
      if (keeps()) this.#keep(accountKey, answer);
      return answer.facts;
    });
  }

  endAccount(accountKey: string): void {
    this.#kept.delete(accountKey);
  }

  #recall(accountKey: string, server: ServerOptions | undefined): Facts | undefined {
    const known = this.#kept.get(accountKey);
    return known && known.server === server && known.until > performance.now() ? known.facts : undefined;
  }

  #keep(accountKey: string, answer: ServerAnswer): void {
    putLast(this.#kept, accountKey, { ...answer, until: performance.now() + KNOWN_MS }, MOST);
  }
}
