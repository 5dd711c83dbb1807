import type { Current } from '../../runtime/live.js';
import type { PoolLimits } from '../pool-limits.js';
import { LearnedLimit } from './learned-limit.js';

/** Which cap keeps an account from another connection. */
export type Full = 'account' | 'server' | 'broker';

/** After so many milliseconds without a refusal, the learned limit of a server grows by this share. */
const CLIMB_MS = 60_000;
const CLIMB_SHARE = 0.1;

/** Counts connections against the caps. A slot is held until the connection is gone, so no cap is ever exceeded. */
export class Caps {
  readonly #limits: Current<PoolLimits>;
  readonly #byAccount = new Map<string, number>();
  readonly #byServer = new Map<string, number>();
  readonly #leavingByServer = new Map<string, number>();
  /** Most connections that a server let this broker have, by server, where it refused more. */
  readonly #learned = new Map<string, LearnedLimit>();
  #total = 0;
  #leaving = 0;

  constructor(limits: Current<PoolLimits>) {
    this.#limits = limits;
  }

  /** Which cap keeps an account from one more connection; `undefined` if none does. */
  full(account: string, server: string): Full | undefined {
    if ((this.#byAccount.get(account) ?? 0) >= this.#limits.now.connectionsPerAccount) return 'account';
    if (this.of(server) >= this.limitOf(server)) return 'server';
    return this.#total >= this.#limits.now.connections ? 'broker' : undefined;
  }

  /** Adds to the number of connections that are about to give their slots back; negative once they have. */
  leaving(server: string, by: number): void {
    this.#leaving += by;
    bump(this.#leavingByServer, server, by);
  }

  /** Connections above the caps of one server or of the broker, without those being ended: a cap was lowered. */
  surplus(server: string): number {
    const { connectionsPerServer, connections } = this.#limits.now;
    const staying = this.of(server) - (this.#leavingByServer.get(server) ?? 0);
    return Math.max(0, staying - connectionsPerServer, this.#total - this.#leaving - connections);
  }

  /** Further connections to a server that the caps shared by all accounts allow. */
  free(server: string): number {
    return Math.max(0, Math.min(this.limitOf(server) - this.of(server), this.#limits.now.connections - this.#total));
  }

  /** Most connections to a server: as configured, or fewer where the server refused more. */
  limitOf(server: string): number {
    return Math.min(this.#limits.now.connectionsPerServer, this.learnedOf(server) ?? Number.POSITIVE_INFINITY);
  }

  /** Connections that a server let this broker have when it refused more; undefined when not known, or outdated. */
  learnedOf(server: string): number | undefined {
    const learned = this.#learned.get(server)?.value;
    return learned === Number.POSITIVE_INFINITY ? undefined : learned;
  }

  /** A server refused this broker, for any user, one more connection than the `held` ones. */
  refused(server: string, held: number): void {
    const learned = this.#learned.get(server) ?? new LearnedLimit(CLIMB_MS, CLIMB_SHARE);
    this.#learned.set(server, learned);
    learned.refused(held);
  }

  /** Forgets the learned limit of a server: its address changed, or the broker has no connection to it any more. */
  forget(server: string): void {
    this.#learned.delete(server);
  }

  /** Takes a slot; only after {@link full} returned undefined. */
  take(account: string, server: string): void {
    this.#add(account, server, 1);
  }

  give(account: string, server: string): void {
    this.#add(account, server, -1);
    if (this.of(server) === 0) this.forget(server);
  }

  /** Connections to a server. */
  of(server: string): number {
    return this.#byServer.get(server) ?? 0;
  }

  get total(): number {
    return this.#total;
  }

  #add(account: string, server: string, by: number): void {
    this.#total += by;
    bump(this.#byAccount, account, by);
    bump(this.#byServer, server, by);
  }
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
