import type { ImapConnection } from '../../imap/connection/connection.js';
import type { SessionContext } from '../context.js';
import { jobOf } from './job.js';

/** Folders that a write changes. */
export interface Affected {
  /** The folder that the work selects: a view that follows the connection hears of the write by itself. */
  selected?: string;
  /** Other folders, whose views do not hear of the write; `all`: folders themselves come, go or change their names. */
  others?: readonly string[] | 'all';
}

/** Runs a write, and sees to it that no later answer from memory is older than the write, even if the write failed. */
export async function write<T>(
  context: SessionContext,
  { selected, others = [] }: Affected,
  work: (connection: ImapConnection) => Promise<T>,
): Promise<T> {
  const { views } = context.services;
  const { key } = context.account;
  // Undefined where the write failed: it is not known whether the connection told the view all that was done.
  let heardBy: ImapConnection | undefined;
  const job = jobOf(context, {
    effect: 'write',
    mailbox: selected,
    // The view that follows this connection knows what is in the folder, and hears what becomes of it.
    prefers: (connection) => selected !== undefined && views.followedBy(connection, key, selected) !== undefined,
  });
  try {
    return await context.account.run(job, async (connection) => {
      const done = await work(connection);
      heardBy = connection;
      return done;
    });
  } finally {
    if (selected !== undefined) views.wrote(key, selected, heardBy);
    if (others === 'all') {
      views.wroteAll(key);
      context.services.hub.foldersWritten(key);
    } else for (const mailbox of others) views.wrote(key, mailbox);
  }
}
