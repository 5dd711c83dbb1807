import { decodePath } from 'imapflow/lib/tools.js';
import type { ImapConnection } from './connection.js';

/** Where folders of one owner begin. */
export interface Namespace {
  /** Begins the names of all its folders, with the delimiter; empty where they begin at the top. */
  prefix: string;
  delimiter: string | null;
}

/** NAMESPACE (RFC 2342): the user's own, other users' and shared folders. */
export interface Namespaces {
  personal: Namespace[];
  other: Namespace[];
  shared: Namespace[];
}

/** The namespaces that the server told at login; asks it nothing. */
export function namespacesOf(connection: ImapConnection): Promise<Namespaces> {
  return connection.command('read', async (flow) => {
    const { personal, other, shared } = connection.namespaces ?? {};
    const decoded = (entries: Array<{ prefix: string; delimiter?: string | null | undefined }> | false | undefined) =>
      (entries || []).map(({ prefix, delimiter }) => ({
        prefix: decodePath(flow, prefix),
        delimiter: delimiter || null,
      }));
    return { personal: decoded(personal), other: decoded(other), shared: decoded(shared) };
  });
}
