import { setFlagsFromString } from 'node:v8';
import { Broker } from '../broker/broker.js';
import { type Look, lookAt } from '../broker/look.js';
import { makeStateDir } from '../config/files.js';
import { type Config, loadConfig } from '../config/load.js';
import { createLog, type Log, type LogLevel } from '../runtime/log/log.js';
import { passedSockets } from '../runtime/passed-sockets.js';
import { ServiceManager } from '../runtime/sd-notify.js';
import { version } from '../runtime/version.js';
import { KeyFileError } from '../session/key-ring.js';
import { banner } from './banner.js';
import { configOfFlags, type ServeFlags } from './flags-config.js';
import { CliError, type ExitCode, exitCodes, type Output } from './output.js';
import { RunningConfig } from './running-config.js';

export interface ServeOptions extends ServeFlags {
  config?: string | undefined;
  logLevel?: LogLevel | undefined;
}

/** Milliseconds that sockets and connections may take to close after a drain. */
const CLOSING_MS = 15_000;

/**
 * How far the heap may grow above what is in use before V8 collects garbage, in percent; by default V8 lets it grow to
 * twice as much and more. Objects of logins and pages outlive the young generation, so that many end up in the old one.
 */
const HEAP_GROWTH = 50;

/**
 * Runs a broker until a signal ends it: the first one drains, the second one stops at once.
 * @throws CliError or ConfigError when the broker cannot start
 */
export async function serve(options: ServeOptions, output: Output): Promise<ExitCode> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  const { config, greeting } = withLogLevel(settings(options), options.logLevel);
  const log = createLog(config.logLevel);
  const running = new RunningConfig(options.config, config, options.logLevel);
  const signals = new Signals();
  const manager = new ServiceManager(log);
  try {
    // Begun before the broker, which does not wait for it.
    const looking = Promise.all(greeting ? config.broker.servers.map(lookAt) : []);
    const broker = await start(config, running, log);
    const { urls, monitorUrl: monitor } = broker;
    const listening = `listening at ${urls.join(', ')}`;
    signals.onHangup = () => {
      manager.reloading();
      reload(broker, log);
      manager.ready(listening);
    };
    log.info({ version, urls, monitor, servers: config.broker.servers.map(({ name }) => name) }, 'listening');
    manager.ready(listening);
    const looks = await Promise.race([looking, signals.first]);
    if (greeting && looks) output.err(greeting(urls, looks));
    // An operator who began the drain has said how long it may take.
    const drainMs = await Promise.race([signals.first.then(() => running.drainMs), broker.whenEnding]);
    manager.stopping('draining: running requests may finish', drainMs + CLOSING_MS);
    log.info({ drainMs }, 'draining; another signal stops at once');
    const drained = await Promise.race([broker.drain(drainMs).then(() => true), signals.second]);
    if (!drained) await broker.stop();
    log.info(drained ? 'stopped' : 'stopped at once; running requests were cancelled');
    return drained ? exitCodes.ok : exitCodes.failure;
  } finally {
    signals.dispose();
    manager.dispose();
  }
}

interface Settings {
  config: Config;
  /** What to print for a person who tries the broker out; `undefined` where there is a configuration. */
  greeting: ((urls: readonly string[], looks: readonly Look[]) => string) | undefined;
}

function settings(options: ServeOptions): Settings {
  if (options.config !== undefined) return { config: loadConfig(options.config), greeting: undefined };
  if (options.server === undefined) {
    throw new CliError('serve needs --server HOST for a first try, or --config FILE.', exitCodes.usage);
  }
  const { config, token, tokenIsNew } = configOfFlags(options);
  return {
    config,
    greeting: ([url = ''], looks) => banner(config, looks, options, url, tokenIsNew ? token : undefined),
  };
}

/** Applies the flag, which goes before the configuration. */
function withLogLevel({ config, greeting }: Settings, level: LogLevel | undefined): Settings {
  if (level === undefined) return { config, greeting };
  const settings = config.broker.settings?.map((one) =>
    one.key === 'log.level' ? { ...one, value: level, source: 'flag' as const } : one,
  );
  return { config: { ...config, logLevel: level, broker: { ...config.broker, settings: settings ?? [] } }, greeting };
}

/** Handles SIGHUP; the broker logs what changed. */
function reload(broker: Broker, log: Log): void {
  try {
    broker.reload();
  } catch (err) {
    log.error({ why: err instanceof Error ? err.message : String(err) }, 'not reloaded');
  }
}

async function start(config: Config, running: RunningConfig, log: Log): Promise<Broker> {
  const file = config.file === undefined ? '' : `${config.file}: `;
  const unclaimed = unclaimedOf(config);
  if (unclaimed !== undefined) {
    const hint = `no [[listener]] says systemd = "${unclaimed}", so its clients would wait for ever`;
    throw new CliError(`${file}systemd has passed a socket named "${unclaimed}", but ${hint}.`, exitCodes.usage);
  }
  const problem = config.stateDir === undefined ? undefined : makeStateDir(config.stateDir);
  if (problem !== undefined) throw new CliError(`${config.placeOf('session.state_dir')}: ${problem}`, exitCodes.usage);
  try {
    return await Broker.start({ ...config.broker, drainMs: config.drainMs, readAgain: () => running.readAgain(), log });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof KeyFileError) {
      const key = config.broker.sessionFiles?.createKeys ? 'session.state_dir' : 'session.key_file';
      throw new CliError(`${config.placeOf(key)}: ${message}`, exitCodes.usage);
    }
    throw new CliError(`${file}cannot listen: ${message}`, exitCodes.failure);
  }
}

/** The name of a passed socket that no listener takes. */
function unclaimedOf({ broker: { listeners } }: Config): string | undefined {
  const claimed = new Set(listeners.map((address) => ('passed' in address ? address.passed : undefined)));
  return [...passedSockets().keys()].find((name) => !claimed.has(name));
}

/** SIGTERM, SIGINT and SIGHUP, from now on. */
class Signals {
  readonly first: Promise<void>;
  /** Resolves with false, for: not drained. */
  readonly second: Promise<false>;
  /** What SIGHUP does. */
  onHangup: () => void = () => {};
  readonly #take: () => void;
  readonly #hangup = () => this.onHangup();

  constructor() {
    let onFirst = () => {};
    let onSecond = () => {};
    let count = 0;
    this.first = new Promise((resolve) => {
      onFirst = resolve;
    });
    this.second = new Promise((resolve) => {
      onSecond = () => resolve(false);
    });
    this.#take = () => {
      count += 1;
      if (count === 1) onFirst();
      else onSecond();
    };
    process.on('SIGTERM', this.#take).on('SIGINT', this.#take).on('SIGHUP', this.#hangup);
  }

  dispose(): void {
    process.off('SIGTERM', this.#take).off('SIGINT', this.#take).off('SIGHUP', this.#hangup);
  }
}
