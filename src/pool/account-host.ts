import type { ImapConnection } from '../imap/connection/connection.js';
import type { Credentials, ServerOptions } from '../imap/login/server-options.js';
import type { Current } from '../runtime/live.js';
import type { PoolEvents } from './observe/pool-events.js';
import type { PoolLimits } from './pool-limits.js';
import type { Backoffs } from './supply/backoffs.js';
import type { Caps, Full } from './supply/caps.js';

/** Opens a connection; rejects with a BrokerError or the signal's reason, and leaves nothing open then. */
export type Connect = (server: ServerOptions, credentials: Credentials, signal: AbortSignal) => Promise<ImapConnection>;

/** What the registry looks at to decide which account gets a connection and which gives one up. */
export interface Contender {
  readonly key: string;
  readonly server: ServerOptions;
  /** Milliseconds that its first job waits for a connection; undefined where none waits. */
  readonly longestWaitMs: number | undefined;
  /** `performance.now()` since when it has had a connection that it does not need. */
  readonly unneededSince: number | undefined;
  /** Something that it waited for may be there now. */
  wake(): void;
  /** Ends the connection that was idle for the longest, and resolves when that is gone. */
  evictIdle(): Promise<unknown>;
}

/** What an account needs from its registry. */
export interface AccountHost {
  limits: Current<PoolLimits>;
  caps: Caps;
  events: PoolEvents;
  backoffs: Backoffs;
  connect: Connect;
  /** A cap shared by other accounts keeps a request from a connection: the registry makes room, then calls `wake`. */
  needsRoom(account: Contender, full: Full): void;
  /** The same for a watch: the account is woken when a slot is free, but no other account loses a connection for it. */
  watchNeedsRoom(account: Contender): void;
  /** The account gave a slot back. */
  slotFreed(account: Contender): void;
  /** The server refused credentials that it accepted before. */
  refused(accountKey: string, credentials: Credentials): void;
  /** Credentials that the server accepted before must be proven anew. */
  doubted(accountKey: string, credentials: Credentials): void;
  /** A job is about to begin. Where the process was suspended before, jobs whose callers gave up are aborted here. */
  beforeWork(): void;
  /** Whether the account gets no connection until it is resumed. */
  isPaused(account: Contender): boolean;
  /**
   * Whether a free connection of an account is to be ended: the account is paused, a cap is exceeded, or another
   * account needs the slot more.
   */
  mustYield(account: Contender): boolean;
}

export interface AccountStats {
  idle: number;
  busy: number;
  /** Connections that are lent to watches. */
  watching: number;
  connecting: number;
  waiting: number;
}

/** A connection as operators see it. */
export interface ConnectionFacts {
  id: string;
  state: 'idle' | 'busy' | 'watching';
  /** The selected folder; null when none is selected. */
  mailbox: string | null;
  ageMs: number;
  /** 0 unless the connection is idle. */
  idleMs: number;
  /** Jobs that ran on the connection; a read shared by several requests counts once. */
  served: number;
  sentBytes: number;
  receivedBytes: number;
}
