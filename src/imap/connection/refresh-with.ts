import type { ImapConnection } from './connection.js';

/**
 * {@link ImapConnection.refresh} in one round trip with a read of what never changes: which of both the server looks at
 * first is its own affair. A read that fails is done again by the request that needs it.
 */
export async function refreshWith(connection: ImapConnection, read: () => Promise<unknown>): Promise<boolean> {
  const [refreshed, reading] = connection.together(() => [connection.refresh(), read().catch(() => {})] as const);
  const [fresh] = await Promise.all([refreshed, reading]);
  return fresh;
}
