import { atom } from '../wire/tokens.js';
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

/** More namespaces than these are asked for by none. */
const MOST = 50;

/** The namespaces that the server told at login. */
export function namespacesOf(connection: ImapConnection): Namespaces {
  const { personal, other, shared } = connection.namespaces ?? {};
  const decoded = (entries: Array<{ prefix: string; delimiter?: string | null | undefined }> | false | undefined) =>
    (entries || []).slice(0, MOST).map(({ prefix, delimiter }) => ({
      prefix: connection.nameOf(atom(prefix)),
      delimiter: delimiter || null,
    }));
  return { personal: decoded(personal), other: decoded(other), shared: decoded(shared) };
}
