import type { Result } from '../../protocol/contract.js';
import type { LogLevel } from '../../runtime/log/log.js';

/** What operators do to the broker as a whole. */
export interface Operations {
  /** Begins to stop the broker. @param graceMs milliseconds that running requests may take; default: as configured */
  drain(graceMs: number | undefined): void;
  /** The work under way. */
  readonly remaining: Result<'broker.remaining'>;
  /** Reads the configuration again. @throws BrokerError INVALID_CONFIG; then everything is as before */
  reload(): Result<'broker.reload'>;
  /** Sets the level of the log, for so many milliseconds or until a reload. @returns the level before */
  setLogLevel(level: LogLevel, forMs: number | undefined): LogLevel;
  /** Seals new tokens with a new key. @returns its id, and how many keys there are @throws KeyFileError */
  rotateKeys(): { id: string; keys: number };
  /** Closes a socket. @returns its tenant; `undefined` where there is no such socket */
  kickSocket(id: string): string | undefined;
}
