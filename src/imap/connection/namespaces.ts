import { atom } from '../wire/tokens.js';
import type { ImapConnection } from './connection.js';

/** A namespace: the prefix and the delimiter of its folder names. */
export interface Namespace {
  /** Begins the names of all folders of the namespace, delimiter included; empty where they are at the top level. */
  prefix: string;
  delimiter: string | null;
}

/** NAMESPACE (RFC 2342): the user's own, other users' and shared folders. */
export interface Namespaces {
  personal: Namespace[];
  other: Namespace[];
  shared: Namespace[];
}

/** Most namespaces of each kind that are kept: real servers have far fewer. */
const MOST = 50;

/** The namespaces that the server announced at login. */
export function namespacesOf(connection: ImapConnection): Namespaces {
  const { personal, other, shared } = connection.namespaces ?? {};
  const decoded = (entries: Array<{ prefix: string; delimiter?: string | null | undefined }> | false | undefined) =>
    (entries || []).slice(0, MOST).map(({ prefix, delimiter }) => ({
      prefix: connection.nameOf(atom(prefix)),
      delimiter: delimiter || null,
    }));
  return { personal: decoded(personal), other: decoded(other), shared: decoded(shared) };
}
