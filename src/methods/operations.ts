import type { Result } from '../protocol/contract.js';

/** What operators do to the broker as a whole. */
export interface Operations {
  /** Begins to stop the broker. @param graceMs milliseconds that running requests may take; default: as configured */
  drain(graceMs: number | undefined): void;
  /** What is under way. */
  readonly remaining: Result<'broker.remaining'>;
  /** Closes a socket. @returns its tenant; `undefined` where there is no such socket */
  kickSocket(id: string): string | undefined;
}
