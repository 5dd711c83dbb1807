import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerOptions } from './imap/server-options.js';
import { handlers } from './methods/handlers.js';
import { Idempotency } from './methods/idempotency.js';
import { Registry } from './pool/registry.js';
import { defaultPoolLimits, type PoolLimits } from './pool/slots.js';
import { Listeners } from './runtime/listeners.js';
import type { Log } from './runtime/log.js';
import type { Answered } from './server/dispatch.js';
import { defaultSocketLimits, type SocketLimits } from './server/limits.js';
import { type ListenAddress, Listener } from './server/listener.js';
import { KeyRing } from './session/key-ring.js';
import { Proofs } from './session/proofs.js';
import { Revocations } from './session/revocations.js';
import { defaultSessionLimits, SealedSessions, type SessionLimits } from './session/sealed-sessions.js';
import type { Tenant } from './session/tenant.js';
import { MemoryGuard } from './view/memory-guard.js';
import { defaultViewLimits, type ViewLimits, Views } from './view/views.js';
import { Hub, type HubLimits } from './watch/hub.js';
import type { WatchTimes } from './watch/station.js';
import type { StartWatcher } from './watch/types.js';
import { watcherOf } from './watch/watcher.js';

export interface BrokerOptions {
  listeners: readonly ListenAddress[];
  tenants: readonly Tenant[];
  servers: readonly ServerOptions[];
  allowedOrigins?: readonly string[];
  allowedHosts?: readonly string[];
  pool?: Partial<PoolLimits>;
  sockets?: Partial<SocketLimits>;
  sessions?: Partial<SessionLimits>;
  views?: Partial<ViewLimits>;
  /** Where sessions outlive the process; without it they end with it. */
  sessionFiles?: SessionFiles | undefined;
  watches?: Partial<HubLimits>;
  /** How often a watch proves that the server is there, and looks where it is not told. */
  watchTimes?: WatchTimes;
  /** What watches an account at the IMAP server, where it is not the broker's own. */
  startWatcher?: StartWatcher;
  /** Largest message that message.append takes, in bytes. */
  appendBytes?: number;
  /** Milliseconds that running requests may take when an operator drains the broker. */
  drainMs?: number;
  /** Holds every result against the contract: for tests. */
  checkResults?: boolean;
  log: Log;
}

/** Largest message that is appended unless the configuration says otherwise, in bytes. */
export const defaultAppendBytes = 50 * 1024 * 1024;

/** Milliseconds of a drain unless the configuration says otherwise. */
export const defaultDrainMs = 20_000;

/** Files that let sessions outlive the process. */
export interface SessionFiles {
  keyFile: string;
  /** Whether a key file that is not there is made. */
  createKeys: boolean;
  /** Where sessions that were ended before their time are noted. */
  revocationsFile?: string | undefined;
}

/** A running broker. */
export interface Broker {
  /** Addresses that it listens on, as URLs of the client. */
  readonly urls: readonly string[];
  readonly registry: Registry;
  readonly views: Views;
  /** Resolves when it begins to drain or to stop, whoever had it do so. */
  readonly whenEnding: Promise<void>;
  /** Refuses new work, finishes what runs within the grace (milliseconds), logs out everywhere, closes. */
  drain(graceMs: number): Promise<void>;
  /** Closes at once: running requests are cancelled. */
  stop(): Promise<void>;
}

/** The version in the package that this file is part of. */
export const version: string = readVersion();

/**
 * Puts the broker together and starts to listen.
 * @throws when an address cannot be listened on, or a KeyFileError; nothing stays open then
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const poolLimits = { ...defaultPoolLimits, ...options.pool };
  const limits = { ...defaultSocketLimits, ...options.sockets };
  const proofs = new Proofs();
  const registry = new Registry(poolLimits, { onRefused: (key, credentials) => proofs.refused(key, credentials) });
  const views = new Views({ ...defaultViewLimits, ...options.views }, (accountKey) => sessions.hasAccount(accountKey));
  const idempotency = new Idempotency();
  const sessions = new SealedSessions({
    ...sessionParts(options.sessionFiles),
    limits: { ...defaultSessionLimits, ...options.sessions },
    onAccountEnd: (accountKey) => {
      hub.endAccount(accountKey);
      views.forget(accountKey);
      void registry.close(accountKey);
      idempotency.forget(accountKey);
    },
  });
  const guard = new MemoryGuard({ views, log: options.log });
  const epoch = randomBytes(8).toString('hex');
  const hub = new Hub({
    epoch,
    startWatcher: options.startWatcher ?? watcherOf(views, options.watchTimes),
    limits: options.watches ?? {},
    log: options.log,
  });
  const services = {
    sessions,
    proofs,
    registry,
    views,
    idempotency,
    hub,
    servers: new Map(options.servers.map((server) => [server.name, server])),
    tenantNames: new Set(options.tenants.map(({ name }) => name)),
    version,
    epoch,
    limits: {
      appendBytes: options.appendBytes ?? defaultAppendBytes,
      connectionsPerAccount: poolLimits.connectionsPerAccount,
      queuePerAccount: poolLimits.queuePerAccount,
    },
    operations: {
      drain: (graceMs = options.drainMs ?? defaultDrainMs) => void broker.drain(graceMs),
      get remaining() {
        const remainingMs = ending && Math.max(0, Math.round(endsAt - Date.now()));
        const connections = registry.slots.total;
        return { draining: ending !== undefined, ...listener.remaining, connections, remainingMs: remainingMs ?? null };
      },
      kickSocket: (id: string) => listener.kick(id),
    },
    log: options.log,
  };
  const { log, tenants, allowedOrigins = [], allowedHosts = [], checkResults = false } = options;
  const answered = new Listeners<Answered>();
  const listener = new Listener({
    socket: { handlers, services, limits, log, answered, checkResults },
    tenants,
    allowedOrigins,
    allowedHosts,
  });
  let endsAt = Number.POSITIVE_INFINITY;
  let ending: Promise<void> | undefined;
  const end = async (socketsClosed: Promise<void>) => {
    await socketsClosed;
    guard.close();
    hub.close();
    await registry.closeAll(Math.max(0, endsAt - Date.now()));
    sessions.dispose();
    // Operators could see until now how it goes.
    await listener.close();
  };
  let onEnding = () => {};
  const whenEnding = new Promise<void>((resolve) => {
    onEnding = resolve;
  });
  const broker: Broker & { urls: string[] } = {
    urls: [],
    registry,
    views,
    whenEnding,
    drain: (graceMs: number) => {
      endsAt = Math.min(endsAt, Date.now() + graceMs);
      ending ??= end(listener.drain(graceMs));
      onEnding();
      return ending;
    },
    stop: async () => {
      endsAt = Date.now();
      const closed = listener.close();
      ending ??= end(closed);
      onEnding();
      await Promise.all([closed, ending]);
    },
  };
  try {
    for (const address of options.listeners) broker.urls.push(await listener.listen(address));
    return broker;
  } catch (error) {
    await broker.stop();
    throw error;
  }
}

function sessionParts(files: SessionFiles | undefined): { keys: KeyRing; revocations: Revocations } {
  if (!files) return { keys: KeyRing.ephemeral(), revocations: new Revocations() };
  const keys = KeyRing.ofFile(files.keyFile, { create: files.createKeys });
  return { keys, revocations: new Revocations(files.revocationsFile) };
}

function readVersion(): string {
  // The same file from src/ (tests) and from dist/src/ (the package): the first package.json above.
  for (const up of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {
      // Not this far up.
    }
  }
  return 'unknown';
}
