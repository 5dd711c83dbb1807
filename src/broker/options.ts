import type { ServerOptions } from '../imap/login/server-options.js';
import type { OperatorView } from '../methods/operators/operator-view.js';
import type { PoolLimits } from '../pool/pool-limits.js';
import type { Log, LogLevel } from '../runtime/log/log.js';
import type { SocketLimits } from '../server/limits.js';
import type { ListenAddress } from '../server/listener.js';
import type { SessionLimits } from '../session/sealed-sessions.js';
import type { Tenant } from '../session/tenant.js';
import type { RedisOptions } from '../shared/redis.js';
import type { ViewLimits } from '../view/views.js';
import type { HubLimits } from '../watch/hub.js';
import type { WatchTimes } from '../watch/idle-loop.js';
import type { StartWatcher } from '../watch/types.js';

export interface BrokerOptions {
  listeners: readonly ListenAddress[];
  /** What operators call the broker. Default: the name of its host. */
  name?: string | undefined;
  /** Where the operators' programs ask for the metrics and the health of the broker. */
  monitor?: ListenAddress | undefined;
  tenants: readonly Tenant[];
  servers: readonly ServerOptions[];
  allowedOrigins?: readonly string[];
  allowedHosts?: readonly string[];
  pool?: Partial<PoolLimits>;
  sockets?: Partial<SocketLimits>;
  sessions?: Partial<SessionLimits>;
  views?: Partial<ViewLimits>;
  /** Files that let sessions outlive the process; without them sessions end with the process. */
  sessionFiles?: SessionFiles | undefined;
  /** Where several brokers keep what all of them must know. */
  shared?: RedisOptions | undefined;
  watches?: Partial<HubLimits>;
  /** How often a watch proves that the server is there, and polls folders of which the server tells no changes. */
  watchTimes?: WatchTimes;
  /** Starts the watcher of an account at the IMAP server. Default: the broker's own watcher. */
  startWatcher?: StartWatcher;
  /** Largest message that message.append takes, in bytes. */
  appendBytes?: number;
  /** The configuration as operators see it. */
  settings?: OperatorView['settings'];
  /** Milliseconds that running requests may take when an operator drains the broker. */
  drainMs?: number;
  /** Reads the configuration again, where there is a configuration to read. @throws BrokerError INVALID_CONFIG */
  readAgain?: () => ReadAgain;
  /** Checks every result against the contract: for tests. */
  checkResults?: boolean;
  log: Log;
}

/** Largest message that is appended unless the configuration says otherwise, in bytes. */
export const defaultAppendBytes = 50 * 1024 * 1024;

/** Milliseconds of a drain unless the configuration says otherwise. */
export const defaultDrainMs = 20_000;

/** The options that may change while a broker runs; of its listeners, the certificates. */
export type Changeable = Omit<
  BrokerOptions,
  'log' | 'readAgain' | 'checkResults' | 'sessionFiles' | 'shared' | 'startWatcher'
>;

/** A configuration that was read again, and the keys in which it differs from the one before. */
export interface ReadAgain {
  /** A server whose entry has not changed is the same object as before. */
  next: Changeable;
  logLevel: LogLevel;
  changed: string[];
  restart: string[];
}

/** Files that let sessions outlive the process. */
export interface SessionFiles {
  keyFile: string;
  /** Whether a missing key file is created. */
  createKeys: boolean;
  /** File that lists the sessions that were ended before their time. */
  revocationsFile?: string | undefined;
  /** File in which a stopping broker leaves the outcomes of requests with an idempotency key. */
  outcomesFile?: string | undefined;
}
