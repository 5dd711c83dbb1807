import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { findMailbox } from '../mailboxes/mailbox-list.js';
import { isRefusal } from '../mailboxes/mailbox-status.js';

/**
 * Throws the error for a failed command that puts messages into a folder: NOT_FOUND where the server says that the
 * folder is missing, or where LIST does not find it.
 * @param field of the request that names the folder
 * @throws BrokerError NOT_FOUND with that field when the folder is missing, else the failure as it is
 */
export async function explainTarget(
  connection: ImapConnection,
  failure: unknown,
  name: string,
  field: 'mailbox' | 'destination',
): Promise<never> {
  if (!isRefusal(failure)) throw failure;
  // A response code is more precise than anything a LIST could show.
  const unsaid = failure.imap?.code === undefined && connection.usable;
  const gone = failure.kind === 'NOT_FOUND' || (unsaid && !(await findMailbox(connection, name)));
  if (!gone) throw failure;
  const { executed, imap } = failure;
  const message = `${field}: there is no folder "${name}".`;
  throw new BrokerError('NOT_FOUND', message, { field, executed, imap, cause: failure });
}
