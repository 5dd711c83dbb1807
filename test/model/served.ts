import { startCourier } from '../support/courier.js';
import { startCyrus } from '../support/cyrus.js';
import { type DialectName, dialects, startDialect } from '../support/dialects.js';
import { LeanImap } from '../support/lean-imap.js';
import type { NamespacedServer } from '../support/namespaced-server.js';
import type { TestServer } from '../support/test-server.js';

export type ServedName = DialectName | 'Cyrus' | 'Courier';

/** A server that histories happen on. */
export interface Served {
  name: string;
  server: TestServer;
  /** Begins the names of all folders but INBOX. */
  prefix: string;
  /** What it says that it can do, before the login and after, in upper case. */
  offered: ReadonlySet<string>;
  /** Takes folders away by their files, where a DELETE takes seconds. */
  remove?: ((user: string, folders: readonly string[]) => Promise<void>) | undefined;
}

/** Starts a server for histories; its owner stops it. */
export async function startServed(name: ServedName): Promise<Served> {
  if (name in dialects) {
    const dialect = await startDialect(name as DialectName);
    return dialect;
  }
  const server = await (name === 'Cyrus' ? startCyrus() : startCourier());
  return {
    name,
    server,
    prefix: server.kind.prefix,
    offered: await offeredBy(server),
    remove: server.removeFolders,
  };
}

async function offeredBy(server: NamespacedServer): Promise<ReadonlySet<string>> {
  const [before, after] = [await LeanImap.greeting(server.plainPort), await server.client(server.user())];
  const [reply] = await after.all('CAPABILITY');
  await after.close();
  const told = [before, ...(reply?.untagged ?? [])].join(' ').replace(/[[\]]/g, ' ');
  return new Set(told.toUpperCase().split(' '));
}
