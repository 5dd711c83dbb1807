import type { ReadAgain } from '../broker/options.js';
import { type Config, ConfigError, loadConfig } from '../config/load.js';
import { changesOf, effective, type Settings } from '../config/settings.js';
import { settingsAfter } from '../config/shown-settings.js';
import { BrokerError } from '../protocol/errors.js';
import type { LogLevel } from '../runtime/log/log.js';

/** The configuration of a broker that runs, and how it is read again. */
export class RunningConfig {
  readonly #path: string | undefined;
  readonly #logLevel: LogLevel | undefined;
  #config: Config;
  #settings: Settings;

  /**
   * @param path of the file; none where flags took its place
   * @param logLevel by a flag, which goes before the file
   */
  constructor(path: string | undefined, config: Config, logLevel: LogLevel | undefined) {
    this.#path = path;
    this.#config = config;
    this.#settings = config.settings;
    this.#logLevel = logLevel;
  }

  /** Milliseconds that running requests have after SIGTERM. */
  get drainMs(): number {
    return this.#config.drainMs;
  }

  /**
   * Reads the file again.
   * @throws BrokerError INVALID_CONFIG with all problems and their lines; everything is as it was then
   */
  readAgain(): ReadAgain {
    const next = this.#load();
    const changes = changesOf(this.#settings, next.settings);
    const before = new Map(this.#config.broker.servers.map((server) => [server.name, server]));
    const isChanged = (name: string) =>
      changes.changed.some(
        (key) => key === `server.${name}` || key.startsWith(`server.${name}.`) || key.startsWith('cluster'),
      );
    // An unchanged entry stays the same object, by which the broker sees that the server has not changed.
    const servers = next.broker.servers.map((server) =>
      isChanged(server.name) ? server : (before.get(server.name) ?? server),
    );
    this.#settings = effective(this.#settings, next.settings, changes);
    const shown = settingsAfter(this.#config.broker.settings ?? [], next.broker.settings ?? []);
    this.#config = { ...next, broker: { ...next.broker, servers, settings: shown } };
    const changed = changes.changed.filter((key) => key !== 'log.level' || this.#logLevel === undefined);
    const logLevel = this.#logLevel ?? next.logLevel;
    return { ...changes, changed, logLevel, next: { ...this.#config.broker, drainMs: next.drainMs } };
  }

  #load(): Config {
    const path = this.#path;
    if (path === undefined) {
      throw new BrokerError('INVALID_CONFIG', 'The broker was started with flags: there is no file to read again.');
    }
    try {
      return loadConfig(path);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new BrokerError('INVALID_CONFIG', `Nothing was changed.\n${error.problems.join('\n')}`);
    }
  }
}
