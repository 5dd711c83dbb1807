import { LoginError } from '../../imap/login/login-error.js';
import { saysFull } from '../account-errors.js';
import type { Caps } from './caps.js';

/** Who is connected to which server, and how many connections a server allows. */
interface Connected {
  readonly accounts: Iterable<{ server: { name: string }; connections: { size: number } }>;
  readonly caps: Pick<Caps, 'refused'>;
}

/**
 * Interprets a server that ends a connection instead of sending its greeting. Where the broker has other connections to
 * that server, the server allows this address no more of them, as Courier does, and the broker keeps to that number.
 * Where the broker has none, the server is unavailable.
 */
export function judgeFull(failure: unknown, server: string, { accounts, caps }: Connected): unknown {
  if (!saysFull(failure)) return failure;
  const { kind, message, retryAfterMs, imap, cause } = failure;
  let held = 0;
  for (const account of accounts) if (account.server.name === server) held += account.connections.size;
  if (held === 0) return new LoginError(kind, message, { stage: 'connect', retryAfterMs, imap, cause });
  caps.refused(server, held);
  const text = `${message}; ${held} are open, and for now the broker keeps to so many.`;
  return new LoginError(kind, text, { stage: 'full', retryAfterMs, imap, cause });
}
