import type { ImapConnection } from './connection.js';
import type { ServerOptions } from './server-options.js';

/** Servers that answered commands out of their order, which RFC 9051 section 5.5 allows and imapflow does not bear. */
const disorderly = new WeakSet<ServerOptions>();

/**
 * {@link ImapConnection.refresh} in one round trip with a read of what never changes: which of both the server looks at first
 * is its own affair. Its failure is nobody's: who needs it reads again.
 */
export async function refreshWith(connection: ImapConnection, read: () => Promise<unknown>): Promise<boolean> {
  if (disorderly.has(connection.server)) return connection.refresh();
  const [refreshed, reading] = connection.together(() => [connection.refresh(), read().catch(() => {})] as const);
  try {
    const fresh = await refreshed;
    await reading;
    return fresh;
  } catch (failure) {
    if (connection.endedBy === 'UnexpectedTag') disorderly.add(connection.server);
    throw failure;
  }
}
