import type { ImapConnection } from '../../connection/connection.js';
import type { Age } from './ages.js';
import { unsupported } from './bounds.js';

/** What a search may use: of the server, of the selected folder, and of what was found out before. */
export interface Dialect {
  has(capability: string): boolean;
  /** Whether the selected folder keeps mod-sequences. */
  modseqs: boolean;
  /** By seconds: where the server has no WITHIN. */
  ages: ReadonlyMap<number, Age>;
}

/** What every server can do (RFC 3501). */
export const plainDialect: Dialect = { has: () => false, modseqs: false, ages: new Map() };

/** What the server of a connection can do, in the folder that is selected. */
export function dialectOf(connection: ImapConnection, ages: Dialect['ages']): Dialect {
  const { selected } = connection;
  // Where no folder is selected, the server refuses the search anyway.
  const modseqs = selected === undefined || selected.highestModseq !== undefined;
  return { has: (capability) => connection.has(capability), modseqs, ages };
}

/** @throws BrokerError UNSUPPORTED where the server has none of the capabilities */
export function requireOne(dialect: Dialect, field: string, ...capabilities: string[]): void {
  if (capabilities.some((capability) => dialect.has(capability))) return;
  throw unsupported(field, `the IMAP server does not offer ${capabilities.join(' or ')}.`);
}
