import { BrokerError } from '../../../protocol/errors.js';
import type { Field } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { isRefusal } from '../../mailboxes/mailbox-status.js';
import { FETCH_BATCH } from '../fetch.js';
import { examineEach } from '../folders/examine-each.js';
import { fetchLinked, type Linked } from './linked.js';

/** Messages of a folder. */
export interface FolderUids {
  uidValidity: number;
  uids: readonly number[];
}

/**
 * Searches folders, all in one packet; a single one that is selected stays so. Folders that the server refuses are left
 * out.
 * @param begin begins its commands at once
 * @throws BrokerError CONNECTION_LOST
 */
export async function searchEach(
  connection: ImapConnection,
  folders: readonly string[],
  begin: (folder: { exists: number }) => Promise<number[]>,
): Promise<Map<string, FolderUids>> {
  const found = new Map<string, FolderUids>();
  const stays = onlySelected(connection, folders);
  if (stays) {
    const uids = await unlessRefused(connection, begin(stays));
    if (uids) found.set(stays.path, { uidValidity: stays.uidValidity, uids });
    return found;
  }
  for (const [folder, { facts, value }] of await examineEach(connection, folders, begin)) {
    found.set(folder, { uidValidity: facts.uidValidity, uids: value });
  }
  return found;
}

/**
 * Fetches messages of folders, all in one packet where one FETCH brings those of a folder.
 * @returns folders that the server refuses, and those that were replaced
 * @throws BrokerError CONNECTION_LOST
 */
export async function fetchLinkedEach(
  connection: ImapConnection,
  shares: ReadonlyMap<string, FolderUids>,
  fields: readonly Field[],
  take: (folder: string, rows: readonly Linked[]) => void,
): Promise<Set<string>> {
  const refused = new Set<string>();
  let alone = [...shares.keys()];
  const isOneFetch = !fields.includes('preview') || connection.has('PREVIEW');
  const short = alone.filter((folder) => isOneFetch && (shares.get(folder)?.uids.length ?? 0) <= FETCH_BATCH);
  if (short.length > 0 && !onlySelected(connection, alone)) {
    const done = await examineEach(connection, short, ({ mailbox }) =>
      fetchLinked(connection, shares.get(mailbox)?.uids ?? [], fields),
    );
    for (const [folder, { facts, value }] of done) {
      if (facts.uidValidity === shares.get(folder)?.uidValidity) take(folder, value);
      else refused.add(folder);
    }
    // What needed a second command was refused, because no folder was selected any more.
    alone = alone.filter((folder) => !done.has(folder));
  }
  for (const folder of alone) {
    const { uidValidity, uids } = shares.get(folder) ?? { uidValidity: 0, uids: [] };
    const fetching = async () => {
      await connection.select(folder, { uidValidity });
      return fetchLinked(connection, uids, fields);
    };
    const rows = await unlessRefused(connection, fetching());
    if (rows) take(folder, rows);
    else refused.add(folder);
  }
  return refused;
}

/** The selected folder, where it is the only one of these. */
function onlySelected(connection: ImapConnection, folders: readonly string[]) {
  const { selected } = connection;
  return folders.length === 1 && selected?.path === folders[0] && !connection.troubled ? selected : undefined;
}

/** @returns undefined where the server refuses the folder, or has another one of its name */
async function unlessRefused<T>(connection: ImapConnection, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (failure) {
    const replaced = failure instanceof BrokerError && failure.kind === 'STATE_CHANGED';
    if (!connection.usable || !(replaced || isRefusal(failure))) throw failure;
    return undefined;
  }
}
