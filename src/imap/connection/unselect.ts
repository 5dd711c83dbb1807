import { BrokerError } from '../../protocol/errors.js';
import { mailboxName } from '../wire/tokens.js';
import type { Commands } from './commands.js';

interface Selecting extends Commands {
  has(capability: string): boolean;
}

/** Has the server leave the selected folder, by UNSELECT where offered (RFC 9051 section 6.4.2), without expunging. */
export async function unselectFolder(connection: Selecting, path: string): Promise<void> {
  if (connection.has('UNSELECT') || connection.has('IMAP4rev2')) {
    await connection.exec('read', 'UNSELECT');
    return;
  }
  // A CLOSE after SELECT would expunge what other clients marked as deleted; after EXAMINE it does not.
  try {
    await connection.exec('read', 'EXAMINE', [mailboxName(path)]);
  } catch (failure) {
    // Servers refuse EXAMINE where the folder is gone; then nothing is selected any more (RFC 3501 section 6.3.1).
    if (connection.usable && failure instanceof BrokerError) return;
    throw failure;
  }
  await connection.exec('read', 'CLOSE');
}
