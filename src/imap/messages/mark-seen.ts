import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { atom, sequence } from '../wire/tokens.js';
import { flagCollector } from './fetch-flags.js';
import { survivingExpunge } from './fetch-rows.js';

/** Whether the selected folder keeps \Seen, as far as the server tells (PERMANENTFLAGS, RFC 9051 section 7.1). */
export function keepsSeen({ selected }: Pick<ImapConnection, 'selected'>): boolean {
  const { readOnly, permanentFlags: kept } = selected ?? {};
  if (readOnly) return false;
  return !kept || [...kept].some((flag) => flag === '\\*' || flag.toLowerCase() === '\\seen');
}

/**
 * Sets \Seen of at most a few hundred messages. To set it twice is to set it once: the command counts as a read, which
 * may be repeated on another connection.
 * @returns flags as the server answered them, by uid; undefined where it refused
 */
export async function storeSeen(
  connection: ImapConnection,
  uids: readonly number[],
): Promise<Map<number, string[]> | undefined> {
  const flags = new Map<number, string[]>();
  const handlers = { FETCH: flagCollector(connection, flags) };
  const args = [sequence(uids.join(',')), atom('+FLAGS'), [atom('\\Seen')]];
  try {
    await survivingExpunge(connection, () => connection.exec('read', 'UID STORE', args, handlers));
    return flags;
  } catch (failure) {
    if (failure instanceof BrokerError && failure.kind === 'IMAP_NO') return undefined;
    throw failure;
  }
}
