import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Lane } from './job.js';
import { Loan } from './loan.js';

/** The connections of an account that are lent just now. */
export class Loans {
  readonly #byConnection = new Map<ImapConnection, Loan>();
  /** Milliseconds that the logins of connections took which nobody has used yet. */
  readonly #fresh = new WeakMap<ImapConnection, number>();
  readonly #counts = { interactive: 0, bulk: 0, watch: 0 };

  /** The connection is new: its login is a part of what its first user waited for. */
  noteLogin(connection: ImapConnection, ms: number): void {
    this.#fresh.set(connection, ms);
  }

  begin(connection: ImapConnection, lane: Lane = 'interactive'): Loan {
    const loan = new Loan(connection, lane, this.#fresh.get(connection) ?? 0);
    this.#fresh.delete(connection);
    this.#byConnection.set(connection, loan);
    this.#counts[lane] += 1;
    return loan;
  }

  end(loan: Loan): void {
    loan.end();
    this.#byConnection.delete(loan.connection);
    this.#counts[loan.lane] -= 1;
  }

  get all(): Iterable<Loan> {
    return this.#byConnection.values();
  }

  count(lane: Lane): number {
    return this.#counts[lane];
  }

  /** Those of watches, the oldest first. */
  get watches(): Loan[] {
    if (this.#counts.watch === 0) return [];
    return [...this.#byConnection.values()].filter(({ lane }) => lane === 'watch');
  }

  /** The loan of a connection to a watch. */
  watchOn(connection: ImapConnection): Loan | undefined {
    const loan = this.#byConnection.get(connection);
    return loan?.lane === 'watch' ? loan : undefined;
  }

  /** The watch that has had its connection for the longest and was not asked for it. */
  get oldestWatch(): Loan | undefined {
    return this.watches.find(({ asked }) => !asked);
  }
}
