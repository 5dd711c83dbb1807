import { handlers } from '../methods/handlers.js';
import type { Operations } from '../methods/operators/operations.js';
import { restoreOutcomes, saveOutcomes } from '../methods/support/outcomes-file.js';
import type { Registry } from '../pool/registry.js';
import { contract } from '../protocol/contract.js';
import { BrokerError } from '../protocol/errors.js';
import { Listeners } from '../runtime/listeners.js';
import { LogLevelControl } from '../runtime/log/log-level.js';
import type { MetricEntry } from '../runtime/metrics.js';
import { Listener } from '../server/listener.js';
import type { Answered } from '../server/request-record.js';
import type { SocketOptions } from '../server/socket-options.js';
import { MemoryGuard } from '../view/memory-guard.js';
import type { Views } from '../view/views.js';
import { type Monitor, monitorOf, type Phase } from './monitor.js';
import { type BrokerOptions, defaultDrainMs, type ReadAgain } from './options.js';
import { setServers, setTenants } from './reload.js';
import { type BuiltServices, buildServices, limitsOf } from './services.js';

/** A running broker: owns its phase, and ends what it has begun. */
export class Broker {
  /** Resolves when a drain or stop begins, for whatever cause, with the milliseconds that running requests may take. */
  readonly whenEnding: Promise<number>;
  readonly #options: BrokerOptions;
  readonly #built: BuiltServices;
  readonly #guard: MemoryGuard;
  readonly #logLevels: LogLevelControl;
  readonly #listener: Listener;
  readonly #monitor: Monitor | undefined;
  readonly #urls: string[] = [];
  #monitorUrl: string | undefined;
  #phase: Phase = 'starting';
  /** Milliseconds that running requests may take when an operator drains the broker. */
  #drainMs: number;
  /** `Date.now()` by which running requests must be done; a later drain or stop may only bring it forward. */
  #endsAt = Number.POSITIVE_INFINITY;
  #ending: Promise<void> | undefined;
  #onEnding: (graceMs: number) => void = () => {};

  private constructor(options: BrokerOptions) {
    const { log, tenants, allowedOrigins = [], allowedHosts = [], drainMs = defaultDrainMs } = options;
    this.#options = options;
    this.#drainMs = drainMs;
    this.whenEnding = new Promise((resolve) => {
      this.#onEnding = resolve;
    });
    this.#logLevels = new LogLevelControl(log);
    this.#built = buildServices(options, {
      operations: this.#operations(),
      sockets: () => [...this.#listener.all, ...(this.#monitor?.listener.all ?? [])],
      draining: () => this.#ending !== undefined,
    });
    this.#guard = new MemoryGuard({ views: this.views, log });
    const socket = this.#socketOptions();
    this.#listener = new Listener({ socket, tenants, allowedOrigins, allowedHosts });
    this.#monitor =
      options.monitor &&
      monitorOf({ socket, listener: this.#listener, tenants, allowedHosts, phase: () => this.#phase });
    this.#built.standstill.listeners.add((ms) => this.#standStill(ms));
  }

  /**
   * Puts a broker together and starts to listen.
   * @throws when an address cannot be listened on, or a KeyFileError; nothing stays open then
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options);
    try {
      await broker.#begin();
      return broker;
    } catch (error) {
      await broker.stop();
      throw error;
    }
  }

  /** Addresses that the broker listens on, as URLs of the client. */
  get urls(): readonly string[] {
    return this.#urls;
  }

  /** URL of the monitor, which has the metrics: `http:`, `https:` or `unix:`. */
  get monitorUrl(): string | undefined {
    return this.#monitorUrl;
  }

  /** The definitions of the metrics; none without a monitor. */
  get metrics(): readonly MetricEntry[] {
    return this.#monitor?.metrics.entries ?? [];
  }

  get registry(): Registry {
    return this.#built.services.registry;
  }

  get views(): Views {
    return this.#built.services.views;
  }

  /** Reads the configuration again and applies it; no request is dropped. @throws BrokerError INVALID_CONFIG */
  reload(): Pick<ReadAgain, 'changed' | 'restart'> {
    if (!this.#options.readAgain) {
      throw new BrokerError('INVALID_CONFIG', 'There is no configuration to read again.');
    }
    const { next, logLevel, ...report } = this.#options.readAgain();
    const { services, socketLimits, serviceLimits, endAccount } = this.#built;
    this.#logLevels.configure(logLevel);
    this.#drainMs = next.drainMs ?? defaultDrainMs;
    const limits = limitsOf(next);
    socketLimits.replace(limits.sockets);
    serviceLimits.replace(limits.services);
    services.operatorView.settings = next.settings ?? [];
    services.sessions.setLimits(limits.sessions);
    services.views.setLimits(limits.views);
    services.registry.setLimits(limits.pool);
    setServers({ ...services, endAccount }, next.servers, this.#drainMs);
    setTenants(services, this.#listener, next, this.#drainMs);
    this.#monitor?.update(next, this.#drainMs);
    services.log.info(report, report.restart.length > 0 ? 'reloaded; some keys need a restart' : 'reloaded');
    return report;
  }

  /** Refuses new work, lets running requests finish within the grace (milliseconds), logs out everywhere, closes. */
  drain(graceMs: number): Promise<void> {
    this.#phase = 'draining';
    this.#endsAt = Math.min(this.#endsAt, Date.now() + graceMs);
    this.#ending ??= this.#end(this.#listener.drain(graceMs));
    this.#onEnding(graceMs);
    return this.#ending;
  }

  /** Closes at once: running requests are cancelled. */
  async stop(): Promise<void> {
    this.#phase = 'draining';
    this.#endsAt = Date.now();
    const closed = this.#listener.close();
    this.#ending ??= this.#end(closed);
    this.#onEnding(0);
    await Promise.all([closed, this.#ending]);
  }

  async #begin(): Promise<void> {
    const { listeners, monitor, sessionFiles } = this.#options;
    const { keys, services, shared } = this.#built;
    shared?.open();
    const { outcomesFile } = sessionFiles ?? {};
    if (outcomesFile !== undefined) await restoreOutcomes(outcomesFile, keys, services.idempotency);
    if (this.#monitor && monitor) {
      this.#monitorUrl = (await this.#monitor.listener.listen(monitor)).replace(/^ws/, 'http');
    }
    for (const address of listeners) this.#urls.push(await this.#listener.listen(address));
    this.#phase = 'running';
  }

  async #end(socketsClosed: Promise<void>): Promise<void> {
    const { services, keys, standstill, shared } = this.#built;
    const { outcomesFile } = this.#options.sessionFiles ?? {};
    await socketsClosed;
    standstill.close();
    this.#guard.close();
    services.operatorView.load.close();
    services.hub.close();
    await services.registry.closeAll(Math.max(0, this.#endsAt - Date.now()));
    if (outcomesFile !== undefined) {
      await saveOutcomes(outcomesFile, keys, services.idempotency).catch((err) =>
        services.log.warn({ err }, 'the outcomes of idempotency keys cannot be written'),
      );
    }
    services.sessions.dispose();
    shared?.close();
    // Operators could follow the drain until now; what they have asked is still answered.
    await Promise.all([this.#listener.answerOperators(), this.#monitor?.listener.answerOperators()]);
    await this.#monitor?.listener.close();
    await this.#listener.close();
  }

  /** What operators do to the broker as a whole. */
  #operations(): Operations {
    const remaining = () => {
      const remainingMs = this.#ending ? Math.max(0, Math.round(this.#endsAt - Date.now())) : null;
      const connections = this.registry.caps.total;
      return { draining: this.#ending !== undefined, ...this.#listener.remaining, connections, remainingMs };
    };
    return {
      drain: (graceMs = this.#drainMs) => void this.drain(graceMs),
      get remaining() {
        return remaining();
      },
      reload: () => this.reload(),
      setLogLevel: (level, forMs) => this.#logLevels.set(level, forMs),
      rotateKeys: () => this.#built.keys.rotate(),
      kickSocket: (id) => this.#listener.kick(id) ?? this.#monitor?.listener.kick(id),
    };
  }

  #socketOptions(): SocketOptions {
    const { services, socketLimits: limits, standstill } = this.#built;
    const { load, slowest, accountLoads } = services.operatorView;
    const answered = new Listeners<Answered>();
    answered.add((one) => {
      // Requests of operators do not count as load of the broker.
      if (one.method && contract[one.method].scope === 'admin') return;
      load.answered(one);
      slowest.add(one.ms, () => ({ at: Date.now(), ...one }));
      // A request that was to open a session names an account that may not exist.
      if (one.account !== undefined && services.sessions.hasAccount(one.account)) {
        accountLoads.answered(one.account, one.ms);
      }
    });
    const { log, checkResults = false } = this.#options;
    return { handlers, services, limits, log, answered, checkResults, standstill };
  }

  #standStill(ms: number): void {
    this.#options.log.warn({ ms }, 'stood still; what waited is cancelled, and all sockets are closed');
    const reason = new BrokerError('CANCELLED', `The broker stood still for ${Math.round(ms / 1000)} s.`);
    this.#listener.standStill(reason);
    this.#monitor?.listener.standStill(reason);
  }
}
