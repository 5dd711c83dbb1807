import { BrokerError } from '../protocol/errors.js';
import type { ImapConnection } from './connection.js';
import { mailboxName, rawExec, sequence, type TaggedOk, textOf, type UntaggedHandler } from './raw-exec.js';
import { sequenceSets, uidsOf } from './sequence-set.js';
import { expunge, requireUidPlus } from './store.js';

/** Where messages arrived, as far as the server tells (COPYUID, RFC 4315 section 3). */
export interface Arrived {
  uidValidity: number | null;
  uids: { source: number; destination: number }[];
}

/** @throws BrokerError NOT_FOUND with field `destination` when the folder is missing */
export function copyMessages(connection: ImapConnection, uids: readonly number[], destination: string) {
  return transfer(connection, 'UID COPY', uids, destination);
}

/**
 * Moves by MOVE (RFC 6851), else by COPY and an expunge of just these.
 * @throws BrokerError as {@link copyMessages}, and IMAP_NO before anything is copied where neither is possible
 */
export async function moveMessages(
  connection: ImapConnection,
  uids: readonly number[],
  destination: string,
): Promise<Arrived> {
  if (connection.has('MOVE') || connection.has('IMAP4rev2')) {
    return transfer(connection, 'UID MOVE', uids, destination);
  }
  requireUidPlus(connection);
  const arrived = await copyMessages(connection, uids, destination);
  await expunge(connection, uids);
  return arrived;
}

async function transfer(
  connection: ImapConnection,
  command: 'UID COPY' | 'UID MOVE',
  uids: readonly number[],
  destination: string,
): Promise<Arrived> {
  const arrived: Arrived = { uidValidity: null, uids: [] };
  // MOVE tells COPYUID in an untagged OK, COPY in the tagged one; some servers do it the other way round.
  const untagged: Record<string, UntaggedHandler> = {
    OK: ({ attributes }) => {
      const [first] = attributes;
      const section = first && !Array.isArray(first) ? first.section : undefined;
      if (section) note(arrived, textOf(section[0]).toUpperCase(), section.slice(1));
    },
  };
  for (const set of sequenceSets(uids)) {
    const ok = await rawExec(connection, 'write', command, [sequence(set), mailboxName(destination)], untagged).catch(
      (failure: unknown) => {
        throw missingDestination(failure, destination);
      },
    );
    note(arrived, ok.code, ok.codeArgs);
  }
  return arrived;
}

function note(arrived: Arrived, code: string | undefined, [validity, from, to]: TaggedOk['codeArgs']): void {
  if (code !== 'COPYUID') return;
  const destinations = uidsOf(textOf(to));
  uidsOf(textOf(from)).forEach((source, index) => {
    const destination = destinations[index];
    if (destination !== undefined) arrived.uids.push({ source, destination });
  });
  arrived.uidValidity = Number(textOf(validity)) || null;
}

function missingDestination(failure: unknown, destination: string): unknown {
  if (!(failure instanceof BrokerError) || failure.kind !== 'NOT_FOUND') return failure;
  const { executed, imap } = failure;
  const message = `destination: there is no folder "${destination}".`;
  return new BrokerError('NOT_FOUND', message, { field: 'destination', executed, imap, cause: failure });
}
