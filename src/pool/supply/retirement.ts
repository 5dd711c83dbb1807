import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Credentials } from '../../imap/login/server-options.js';
import type { Current } from '../../runtime/live.js';
import type { PoolLimits } from '../pool-limits.js';
import { isOld } from './age.js';
import type { SuppliedConnections } from './supplied-connections.js';

/** Which connections of an account are too old to be lent again, and which serve until their successor is there. */
export class Retirement {
  readonly #limits: Current<Pick<PoolLimits, 'maxAgeMs'>>;
  readonly #supplied: SuppliedConnections;
  readonly #supply: () => Promise<void>;
  readonly #onReplaced: (connection: ImapConnection) => void;
  /** Connections that are too old and whose successor is made or being made; `#replacing` has those of the latter. */
  readonly #replaced = new WeakSet<ImapConnection>();
  readonly #replacing = new Set<ImapConnection>();

  /**
   * @param supply makes a connection in a slot that was taken for it
   * @param onReplaced called when the successor of a connection is there or its login failed
   */
  constructor(
    limits: Current<Pick<PoolLimits, 'maxAgeMs'>>,
    supplied: SuppliedConnections,
    supply: () => Promise<void>,
    onReplaced: (connection: ImapConnection) => void,
  ) {
    this.#limits = limits;
    this.#supplied = supplied;
    this.#supply = supply;
    this.#onReplaced = onReplaced;
  }

  /**
   * Whether a connection is too old to be lent again. Where there is a free slot, the old connection serves until its
   * successor is there, so that no request waits for a login.
   */
  isDue(connection: ImapConnection, credentials: Credentials | undefined): boolean {
    if (!isOld(connection, this.#limits.now.maxAgeMs, credentials)) return false;
    if (this.#replaced.has(connection) || !this.#supplied.takeSlot()) return !this.#replacing.has(connection);
    this.#replaced.add(connection);
    this.#replacing.add(connection);
    void this.#supply().then(() => {
      this.#replacing.delete(connection);
      this.#onReplaced(connection);
    });
    return false;
  }
}
