import { randomBytes } from 'node:crypto';
import type { ServiceLimits } from '../methods/context.js';
import { handlers } from '../methods/handlers.js';
import { Idempotency } from '../methods/support/idempotency.js';
import type { SlowRequest } from '../methods/operators/operator-view.js';
import { restoreOutcomes, saveOutcomes } from '../methods/support/outcomes-file.js';
import { ServerFacts } from '../methods/support/server-facts.js';
import { Tracing } from '../methods/operators/tracing.js';
import { Registry } from '../pool/registry.js';
import { defaultPoolLimits } from '../pool/supply/slots.js';
import { contract } from '../protocol/contract.js';
import { BrokerError } from '../protocol/errors.js';
import type { KeptPerAccount } from '../runtime/kept-per-account.js';
import { Listeners } from '../runtime/listeners.js';
import { Load } from '../runtime/load.js';
import type { Log, LogLevel } from '../runtime/log.js';
import { LogLevelControl } from '../runtime/log-level.js';
import type { MetricEntry } from '../runtime/metrics.js';
import { Slowest } from '../runtime/slowest.js';
import { Standstill } from '../runtime/standstill.js';
import { version } from '../runtime/version.js';
import type { Answered } from '../server/request-record.js';
import { defaultSocketLimits } from '../server/limits.js';
import { Listener } from '../server/listener.js';
import { KeyRing } from '../session/key-ring.js';
import { Proofs } from '../session/proofs.js';
import { Revocations } from '../session/revocations.js';
import { defaultSessionLimits, SealedSessions } from '../session/sealed-sessions.js';
import { MemoryGuard } from '../view/memory-guard.js';
import { defaultViewLimits, Views } from '../view/views.js';
import { Hub } from '../watch/hub.js';
import { watcherOf } from '../watch/watcher.js';
import { type Monitor, monitorOf, type Phase } from './monitor.js';
import {
  type BrokerOptions,
  type Changeable,
  defaultAppendBytes,
  defaultDrainMs,
  type ReadAgain,
  type SessionFiles,
} from './options.js';
import { setServers, setTenants } from './reload.js';

/** How many of the slowest requests operators can see, and for how many milliseconds a request is kept. */
const SLOWEST = 20;
const SLOWEST_MS = 300_000;

/** A running broker. */
export interface Broker {
  /** Addresses that the broker listens on, as URLs of the client. */
  readonly urls: readonly string[];
  /** URL of the monitor, which has the metrics: `http:`, `https:` or `unix:`. */
  readonly monitorUrl: string | undefined;
  /** The definitions of the metrics; none without a monitor. */
  readonly metrics: readonly MetricEntry[];
  readonly registry: Registry;
  readonly views: Views;
  /** Resolves when a drain or stop begins, for whatever cause, with the milliseconds that running requests may take. */
  readonly whenEnding: Promise<number>;
  /** Reads the configuration again and applies it; no request is dropped. @throws BrokerError INVALID_CONFIG */
  reload(): Pick<ReadAgain, 'changed' | 'restart'>;
  /** Refuses new work, lets running requests finish within the grace (milliseconds), logs out everywhere, closes. */
  drain(graceMs: number): Promise<void>;
  /** Closes at once: running requests are cancelled. */
  stop(): Promise<void>;
}

/**
 * Puts the broker together and starts to listen.
 * @throws when an address cannot be listened on, or a KeyFileError; nothing stays open then
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const poolLimits = { ...defaultPoolLimits, ...options.pool };
  const limits = { ...defaultSocketLimits, ...options.sockets };
  const proofs = new Proofs();
  const standstill = new Standstill();
  const registry = new Registry(poolLimits, {
    log: options.log,
    onRefused: (key, credentials) => proofs.refused(key, credentials),
    onDoubted: (key, credentials) => proofs.doubt(key, credentials),
    beforeWork: () => standstill.check(),
  });
  const views = new Views({ ...defaultViewLimits, ...options.views }, (accountKey) => sessions.hasAccount(accountKey));
  const idempotency = new Idempotency();
  const facts = new ServerFacts();
  const { outcomesFile } = options.sessionFiles ?? {};
  const { keys, revocations } = sessionParts(options.sessionFiles, options.log);
  if (outcomesFile !== undefined) await restoreOutcomes(outcomesFile, keys, idempotency);
  const sessions = new SealedSessions({
    keys,
    revocations,
    limits: { ...defaultSessionLimits, ...options.sessions },
    onAccountEnd: (accountKey) => {
      endAccount(accountKey);
      void registry.close(accountKey);
    },
  });
  /** Drops all that is kept of an account beside its connections. */
  const endAccount = (accountKey: string) => {
    const kept: KeptPerAccount[] = [hub, views, facts, idempotency];
    for (const each of kept) each.endAccount(accountKey);
  };
  const guard = new MemoryGuard({ views, log: options.log });
  const epoch = randomBytes(8).toString('hex');
  const hub = new Hub({
    epoch,
    startWatcher: options.startWatcher ?? watcherOf(views, options.watchTimes, options.log),
    limits: options.watches ?? {},
    log: options.log,
  });
  const load = new Load();
  const slowest = new Slowest<SlowRequest>(SLOWEST, SLOWEST_MS, 5);
  const services = {
    sessions,
    proofs,
    registry,
    views,
    idempotency,
    facts,
    hub,
    operatorView: {
      load,
      slowest,
      tracing: new Tracing(),
      get socketLimit() {
        return limits.sockets;
      },
      settings: options.settings ?? [],
      get sockets() {
        return [...listener.all, ...(monitor?.listener.all ?? [])];
      },
      get draining() {
        return ending !== undefined;
      },
    },
    servers: new Map(options.servers.map((server) => [server.name, server])),
    tenantNames: new Set(options.tenants.map(({ name }) => name)),
    version,
    epoch,
    limits: serviceLimits(options),
    operations: {
      drain: (graceMs = drainMs) => void broker.drain(graceMs),
      get remaining() {
        const remainingMs = ending && Math.max(0, Math.round(endsAt - Date.now()));
        const connections = registry.slots.total;
        return { draining: ending !== undefined, ...listener.remaining, connections, remainingMs: remainingMs ?? null };
      },
      reload: () => broker.reload(),
      setLogLevel: (level: LogLevel, forMs?: number) => logLevels.set(level, forMs),
      rotateKeys: () => keys.rotate(),
      kickSocket: (id: string) => listener.kick(id) ?? monitor?.listener.kick(id),
    },
    log: options.log,
  };
  const { log, tenants, allowedOrigins = [], allowedHosts = [], checkResults = false } = options;
  const answered = new Listeners<Answered>();
  answered.add((one) => {
    // Requests of operators do not count as load of the broker.
    if (one.method && contract[one.method].scope === 'admin') return;
    load.answered(one.outcome, one.ms);
    slowest.add(one.ms, () => ({ at: Date.now(), ...one }));
  });
  const socket = { handlers, services, limits, log, answered, checkResults, standstill };
  const listener = new Listener({ socket, tenants, allowedOrigins, allowedHosts });
  let phase: Phase = 'starting';
  const monitor: Monitor | undefined =
    options.monitor && monitorOf({ socket, listener, tenants, allowedHosts, phase: () => phase });
  standstill.listeners.add((ms) => {
    log.warn({ ms }, 'stood still; what waited is cancelled, and all sockets are closed');
    const reason = new BrokerError('CANCELLED', `The broker stood still for ${Math.round(ms / 1000)} s.`);
    listener.standStill(reason);
    monitor?.listener.standStill(reason);
  });
  const logLevels = new LogLevelControl(log);
  let { drainMs = defaultDrainMs } = options;
  let endsAt = Number.POSITIVE_INFINITY;
  let ending: Promise<void> | undefined;
  const end = async (socketsClosed: Promise<void>) => {
    await socketsClosed;
    standstill.close();
    guard.close();
    load.close();
    hub.close();
    await registry.closeAll(Math.max(0, endsAt - Date.now()));
    if (outcomesFile !== undefined) {
      await saveOutcomes(outcomesFile, keys, idempotency).catch((err) => log.warn({ err }, 'outcomes are not kept'));
    }
    sessions.dispose();
    // Operators could follow the drain until now; what they have asked is still answered.
    await Promise.all([listener.answerOperators(), monitor?.listener.answerOperators()]);
    await monitor?.listener.close();
    await listener.close();
  };
  let onEnding = (_graceMs: number) => {};
  const whenEnding = new Promise<number>((resolve) => {
    onEnding = resolve;
  });
  const broker = {
    urls: [] as string[],
    monitorUrl: undefined as string | undefined,
    metrics: monitor?.metrics.entries ?? [],
    registry,
    views,
    whenEnding,
    reload: () => {
      if (!options.readAgain) throw new BrokerError('INVALID_CONFIG', 'There is no configuration to read again.');
      const { next, logLevel, ...report } = options.readAgain();
      logLevels.configure(logLevel);
      drainMs = next.drainMs ?? defaultDrainMs;
      Object.assign(limits, { ...defaultSocketLimits, ...next.sockets });
      Object.assign(services.limits, serviceLimits(next));
      services.operatorView.settings = next.settings ?? [];
      sessions.setLimits({ ...defaultSessionLimits, ...next.sessions });
      views.setLimits({ ...defaultViewLimits, ...next.views });
      registry.setLimits({ ...defaultPoolLimits, ...next.pool });
      setServers({ ...services, endAccount }, next.servers, drainMs);
      setTenants(services, listener, next, drainMs);
      monitor?.update(next, drainMs);
      log.info(report, report.restart.length > 0 ? 'reloaded; some keys need a restart' : 'reloaded');
      return report;
    },
    drain: (graceMs: number) => {
      phase = 'draining';
      endsAt = Math.min(endsAt, Date.now() + graceMs);
      ending ??= end(listener.drain(graceMs));
      onEnding(graceMs);
      return ending;
    },
    stop: async () => {
      phase = 'draining';
      endsAt = Date.now();
      const closed = listener.close();
      ending ??= end(closed);
      onEnding(0);
      await Promise.all([closed, ending]);
    },
  };
  try {
    if (monitor && options.monitor) {
      broker.monitorUrl = (await monitor.listener.listen(options.monitor)).replace(/^ws/, 'http');
    }
    for (const address of options.listeners) broker.urls.push(await listener.listen(address));
    phase = 'running';
    return broker;
  } catch (error) {
    await broker.stop();
    throw error;
  }
}

function serviceLimits({ appendBytes = defaultAppendBytes, pool }: Changeable): ServiceLimits {
  const { connectionsPerAccount, queuePerAccount } = { ...defaultPoolLimits, ...pool };
  return { appendBytes, connectionsPerAccount, queuePerAccount };
}

function sessionParts(files: SessionFiles | undefined, log: Log): { keys: KeyRing; revocations: Revocations } {
  if (!files) return { keys: KeyRing.ephemeral(), revocations: new Revocations() };
  const keys = KeyRing.ofFile(files.keyFile, { create: files.createKeys });
  const onTrouble = (err: unknown) => {
    if (err) log.error({ err }, 'cannot write the list of ended sessions; what ends now is in memory alone');
    else log.info('the list of ended sessions is written again');
  };
  return { keys, revocations: new Revocations(files.revocationsFile, { onTrouble }) };
}
