import { defaultPoolLimits } from '../pool/pool-limits.js';
import type { Config } from './load.js';

/** What one of several brokers may take of the IMAP servers, and what these must allow, as lines; none for a single broker. */
export function shareOf({ brokers, broker: { pool, servers } }: Config): string {
  if (brokers === 1) return '';
  const { connectionsPerAccount, connectionsPerServer } = { ...defaultPoolLimits, ...pool };
  const rates = servers.map(
    ({ name, loginsPerSecond }) => `${Number(loginsPerSecond.toFixed(2))} logins a second to ${name}`,
  );
  return [
    `one of ${brokers} brokers: ${connectionsPerServer} connections to a server, ${rates.join(', ')}`,
    // Sockets move to another broker one after the other: until the first broker gives its connections back, both have some.
    `a user may be on two brokers for a moment: each server must allow a user ${2 * connectionsPerAccount} connections`,
    '',
  ].join('\n');
}
