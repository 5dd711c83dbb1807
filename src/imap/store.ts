import { BrokerError } from '../protocol/errors.js';
import type { ImapConnection } from './connection.js';
import { atom, listOf, numberOf, rawExec, sequence, textOf } from './raw-exec.js';
import { sequenceSets } from './sequence-set.js';

const items = { add: '+FLAGS', remove: '-FLAGS', set: 'FLAGS' } as const;

/** Which of the uids the selected folder has, in their order. */
export async function existing(connection: ImapConnection, uids: readonly number[]): Promise<number[]> {
  const found = new Set<number>();
  for (const set of sequenceSets(uids)) {
    const hits = await connection.command('read', (flow) => flow.search({ uid: set }, { uid: true }));
    if (Array.isArray(hits)) for (const uid of hits) found.add(uid);
  }
  return [...new Set(uids)].filter((uid) => found.has(uid));
}

/**
 * Changes flags of messages in the selected folder and answers them as the server has them then.
 * @throws BrokerError IMAP_NO when the folder keeps no such keyword
 */
export async function storeFlags(
  connection: ImapConnection,
  uids: readonly number[],
  action: keyof typeof items,
  flags: readonly string[],
): Promise<Map<number, string[]>> {
  if (action !== 'remove') refuseUnkept(connection, flags);
  const stored = new Map<number, string[]>();
  for (const set of sequenceSets(uids)) {
    await rawExec(connection, 'write', 'UID STORE', [sequence(set), atom(items[action]), flags.map(atom)]);
    // What STORE itself answers is optional in parts and may lack the uid, so the flags are asked for.
    await rawExec(connection, 'read', 'UID FETCH', [sequence(set), [atom('UID'), atom('FLAGS')]], {
      FETCH: ({ attributes }) => readFlags(listOf(attributes[1]), stored),
    });
  }
  return stored;
}

function readFlags(pairs: ReturnType<typeof listOf>, into: Map<number, string[]>): void {
  let uid: number | undefined;
  let flags: string[] | undefined;
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const name = textOf(pairs[index]).toUpperCase();
    if (name === 'UID') uid = numberOf(pairs[index + 1]);
    if (name === 'FLAGS') flags = listOf(pairs[index + 1]).map(textOf);
  }
  if (uid === undefined || !flags) return;
  into.set(uid, flags.filter((flag) => flag.toLowerCase() !== '\\recent').sort());
}

/** Servers accept a flag that they then forget; better to say so. */
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
 * Expunges exactly these messages (RFC 4315 section 2.1), never another client's.
 * @throws BrokerError IMAP_NO, before anything is flagged, when the server has no UIDPLUS
 */
export async function expunge(connection: ImapConnection, uids: readonly number[]): Promise<void> {
  requireUidPlus(connection);
  for (const set of sequenceSets(uids)) {
    await rawExec(connection, 'write', 'UID STORE', [sequence(set), atom('+FLAGS.SILENT'), [atom('\\Deleted')]]);
    await rawExec(connection, 'write', 'UID EXPUNGE', [sequence(set)]);
  }
}

/** @throws BrokerError IMAP_NO where a single message cannot be expunged alone */
export function requireUidPlus(connection: ImapConnection): void {
  if (connection.has('UIDPLUS') || connection.has('IMAP4REV2')) return;
  throw new BrokerError(
    'IMAP_NO',
    'The IMAP server has no UIDPLUS: it can only expunge all deleted messages at once, those of other clients too.',
  );
}
