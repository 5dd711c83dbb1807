import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { sequenceSets } from '../wire/sequence-set.js';
import { atom, sequence } from '../wire/tokens.js';
import { fetchFlags, flagCollector } from './fetch-flags.js';
import { survivingExpunge } from './fetch-rows.js';
import { searchSet } from './search/search.js';

const items = { add: '+FLAGS', remove: '-FLAGS', set: 'FLAGS' } as const;

/** Which of the uids the selected folder has, in the given order. */
export async function existingUids(connection: ImapConnection, uids: readonly number[]): Promise<number[]> {
  const found = new Set<number>();
  for (const set of sequenceSets(uids)) for (const uid of await searchSet(connection, set)) found.add(uid);
  return [...new Set(uids)].filter((uid) => found.has(uid));
}

/**
 * Changes flags of messages and returns the resulting flags by uid, as the server has them: from the responses to
 * STORE, or by a FETCH where STORE returned none or not the requested ones. Messages that are gone are left out.
 * @throws BrokerError IMAP_NO when the folder keeps no such keyword
 */
export async function storeFlags(
  connection: ImapConnection,
  uids: readonly number[],
  action: keyof typeof items,
  flags: readonly string[],
): Promise<Map<number, string[]>> {
  if (action !== 'remove') refuseUnkept(connection, flags);
  const returned = new Map<number, string[]>();
  const handlers = { FETCH: flagCollector(connection, returned) };
  const before = connection.selected?.exists ?? 0;
  for (const set of sequenceSets(uids)) {
    const args = [sequence(set), atom(items[action]), flags.map(atom)];
    // Some servers refuse because messages are gone: after the NOOP the command affects the remaining ones.
    await survivingExpunge(connection, () => connection.exec('write', 'UID STORE', args, handlers));
  }
  // Messages are gone, perhaps some whose flags STORE returned.
  const doubted = (connection.selected?.exists ?? 0) < before;
  const stored = new Map<number, string[]>();
  for (const uid of uids) {
    const now = returned.get(uid);
    // The responses may show flags that another client changed, before the requested ones or instead of them.
    if (now && !doubted && isDone(now, action, flags)) stored.set(uid, now);
  }
  const unconfirmed = uids.filter((uid) => !stored.has(uid));
  const found = await fetchFlagsOf(connection, unconfirmed);
  // STORE skips messages that the session does not know yet; after the FETCH it knows them, so STORE is repeated for
  // them. For the others STORE returned flags, and a difference is the change of another client.
  const undone = [...found]
    .filter(([uid, now]) => !returned.has(uid) && !isDone(now, action, flags))
    .map(([uid]) => uid);
  for (const set of sequenceSets(undone)) {
    await connection.exec('write', 'UID STORE', [sequence(set), atom(items[action]), flags.map(atom)]);
  }
  for (const [uid, now] of await fetchFlagsOf(connection, undone)) found.set(uid, now);
  for (const [uid, now] of found) stored.set(uid, now);
  return stored;
}

async function fetchFlagsOf(connection: ImapConnection, uids: readonly number[]): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  for (const set of sequenceSets(uids)) {
    for (const [uid, now] of await fetchFlags(connection, set, 'uid')) found.set(uid, now);
  }
  return found;
}

/** Whether a message's flags are as the change would leave them. */
function isDone(now: readonly string[], action: keyof typeof items, flags: readonly string[]): boolean {
  const has = new Set(now.map((flag) => flag.toLowerCase()));
  const wanted = new Set(flags.map((flag) => flag.toLowerCase()));
  const there = [...wanted].filter((flag) => has.has(flag)).length;
  if (action === 'remove') return there === 0;
  return there === wanted.size && (action === 'add' || has.size === wanted.size);
}

/** Refuses flags that the folder does not keep: servers accept such flags and then forget them. */
function refuseUnkept(connection: ImapConnection, flags: readonly string[]): void {
  const { permanentFlags: kept, readOnly, path } = connection.selected ?? {};
  if (readOnly) throw new BrokerError('IMAP_NO', `mailbox: the folder "${path}" is read-only.`, { field: 'mailbox' });
  if (!kept || kept.has('\\*')) return;
  const lower = new Set([...kept].map((flag) => flag.toLowerCase()));
  const unkept = flags.find((flag) => !lower.has(flag.toLowerCase()));
  if (unkept !== undefined) {
    throw new BrokerError('IMAP_NO', `flags: the folder "${path}" does not keep "${unkept}".`, { field: 'flags' });
  }
}

/**
 * Expunges exactly these messages (RFC 4315 section 2.1), never messages that another client flagged.
 * @throws BrokerError IMAP_NO, before anything is flagged, when the server has no UIDPLUS
 */
export async function expunge(connection: ImapConnection, uids: readonly number[]): Promise<void> {
  requireUidPlus(connection);
  for (const set of sequenceSets(uids)) {
    await connection.exec('write', 'UID STORE', [sequence(set), atom('+FLAGS.SILENT'), [atom('\\Deleted')]]);
    await connection.exec('write', 'UID EXPUNGE', [sequence(set)]);
  }
}

/** @throws BrokerError IMAP_NO where a single message cannot be expunged alone */
export function requireUidPlus(connection: ImapConnection): void {
  if (hasUidPlus(connection)) return;
  throw new BrokerError(
    'IMAP_NO',
    'The IMAP server has no UIDPLUS: it can only expunge all deleted messages at once, those of other clients too.',
  );
}

/** Whether the server can expunge single messages, and reports by COPYUID what it copied. */
export function hasUidPlus(connection: ImapConnection): boolean {
  return connection.has('UIDPLUS') || connection.has('IMAP4rev2');
}
