import type { ImapConnection } from '../../imap/connection/connection.js';
import { existingUids, expunge, hasUidPlus, requireUidPlus } from '../../imap/messages/store.js';
import { type Arrived, copyMessages, hasMove, moveMessages } from '../../imap/messages/transfer.js';
import type { Params, Result } from '../../protocol/contract.js';
import type { SessionContext } from '../context.js';
import { changing, existingOf, type Named, unknownTo } from './on-existing.js';

/** Copies messages, and tells which were not there. */
export function copy(context: SessionContext, params: Params<'message.copy'>): Promise<Result<'message.copy'>> {
  return transferMessages(context, params, copyFound);
}

/** Moves messages by MOVE where offered, else by COPY and an expunge of just those that were copied. */
export function move(context: SessionContext, params: Params<'message.move'>): Promise<Result<'message.move'>> {
  return transferMessages(context, params, async (of, connection, named) => {
    if (hasMove(connection)) {
      const there = await existingOf(of, connection, named);
      const arrived = await moveMessages(connection, there, named.destination);
      // Where the server does not tell which messages it moved, that cannot be found out any more.
      return { ...arrived, found: new Set([...arrived.found, ...arrived.untold]) };
    }
    // Checked before anything is copied.
    requireUidPlus(connection);
    const arrived = await copyFound(of, connection, named);
    const copied = named.uids.filter((uid) => arrived.found.has(uid));
    await expunge(connection, copied);
    return arrived;
  });
}

type Transfer = Named & { destination: string };

async function transferMessages(
  context: SessionContext,
  params: Transfer,
  work: (context: SessionContext, connection: ImapConnection, named: Transfer) => Promise<Arrived>,
): Promise<Result<'message.copy'>> {
  const named = { ...params, uids: [...new Set(params.uids)] };
  const { uidValidity, uids, found } = await changing(context, named, (connection) => work(context, connection, named));
  return {
    destination: named.destination,
    destinationUidValidity: uidValidity,
    uids,
    notFound: named.uids.filter((uid) => !found.has(uid)),
  };
}

/** Copies the messages that are there. COPYUID tells which those are, so that no search is needed before. */
async function copyFound(context: SessionContext, connection: ImapConnection, named: Transfer): Promise<Arrived> {
  const heard = connection.selected?.uidNext ?? 0;
  // The session may not have been told of uids from `heard` on: their messages would not be copied.
  const isBold = hasUidPlus(connection) && unknownTo(context, connection, named).every((uid) => uid < heard);
  const asked = isBold ? named.uids : await existingOf(context, connection, named);
  const arrived = await copyMessages(connection, asked, named.destination);
  const untold = { ...named, uids: arrived.untold };
  // A message that is there now was there before the copy: the session had been told of it.
  const unsure = isBold ? unknownTo(context, connection, untold) : [];
  const absent = new Set(unsure);
  if (unsure.length > 0) for (const uid of await existingUids(connection, unsure)) absent.delete(uid);
  return { ...arrived, found: new Set([...arrived.found, ...arrived.untold.filter((uid) => !absent.has(uid))]) };
}
