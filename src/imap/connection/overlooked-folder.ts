import { BrokerError } from '../../protocol/errors.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { listOf, mailboxName, textOf } from '../wire/tokens.js';
import type { Commands } from './commands.js';
import { selectError } from './refused-folder.js';

/**
 * Runs a command that opens or counts a folder, and runs the command again where the server says that there is no such
 * folder although LIST shows the folder: for some milliseconds a session of Dovecot overlooks a folder that another
 * client has just made, until a LIST makes the session look.
 * @throws what the command throws
 */
export async function notOverlooked<T>(connection: Commands, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (failure) {
    if (!saysMissing(failure, path) || !connection.usable || !(await isListed(connection, path))) throw failure;
    return run();
  }
}

function saysMissing(failure: unknown, path: string): boolean {
  const error = selectError(failure, path);
  return error instanceof BrokerError && error.kind === 'NOT_FOUND';
}

async function isListed(connection: Commands, path: string): Promise<boolean> {
  let listed = false;
  const asked = connection.exec('read', 'LIST', ['', mailboxName(path)], {
    LIST: ({ attributes: [flags, , name] }) => {
      const holdsNone = listOf(flags).some((flag) => /^\\(?:noselect|nonexistent)$/i.test(textOf(flag)));
      // A `*` or `%` in the name is a wildcard here, so the server may list other folders as well.
      if (!holdsNone && canonicalName(connection.nameOf(name)) === path) listed = true;
    },
  });
  // A server that refuses the LIST leaves the first answer as it is.
  await asked.catch((failure: unknown) => {
    if (!connection.usable) throw failure;
  });
  return listed;
}
