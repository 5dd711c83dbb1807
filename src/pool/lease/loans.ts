import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Lane } from '../job.js';
import { Loan } from './loan.js';

/** The connections of an account that are on loan now. */
export class Loans {
  readonly #byConnection = new Map<ImapConnection, Loan>();
  /** Milliseconds that the login took, of each connection that was never lent. */
  readonly #fresh = new WeakMap<ImapConnection, number>();
  readonly #counts = { interactive: 0, bulk: 0, watch: 0 };

  /** Notes the login time of a new connection: the job that gets the connection first has waited for the login. */
  noteLogin(connection: ImapConnection, ms: number): void {
    this.#fresh.set(connection, ms);
  }

  begin(connection: ImapConnection, lane: Lane = 'interactive'): Loan {
    const loan = new Loan(connection, lane, this.#fresh.get(connection));
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

  /** The loans to watches, the oldest first. */
  get watches(): Loan[] {
    if (this.#counts.watch === 0) return [];
    return [...this.#byConnection.values()].filter(({ lane }) => lane === 'watch');
  }

  /** The loan of a connection, if a watch has the connection. */
  watchOn(connection: ImapConnection): Loan | undefined {
    const loan = this.#byConnection.get(connection);
    return loan?.lane === 'watch' ? loan : undefined;
  }

  /** The oldest loan to a watch that was not asked back. */
  get oldestWatch(): Loan | undefined {
    return this.watches.find(({ asked }) => !asked);
  }
}
