import type { ImapConnection } from './connection.js';

/**
 * {@link ImapConnection.refresh} in one round trip with a read of immutable data, so the order in which the server
 * executes the two does not matter. A read that fails is repeated by the request that needs the data.
 */
export async function refreshWith(connection: ImapConnection, read: () => Promise<unknown>): Promise<boolean> {
  const [refreshed, reading] = connection.together(() => [connection.refresh(), read().catch(() => {})] as const);
  const [fresh] = await Promise.all([refreshed, reading]);
  return fresh;
}
