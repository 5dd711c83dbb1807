import type { ImapConnection } from '../connection/connection.js';
import { canonicalName } from '../wire/mailbox-names.js';
import {
  atom,
  type ImapAttribute,
  listOf,
  mailboxName,
  modseqOf,
  numberOf,
  nzNumberOf,
  textOf,
} from '../wire/tokens.js';
import { catchUp } from './mailbox-status.js';

/** What tells whether anything in a folder has changed. */
export interface FolderState {
  messages: number | undefined;
  uidNext: number | undefined;
  uidValidity: number | undefined;
  /** Undefined where the server keeps none: then changes of flags do not show. */
  highestModseq: bigint | undefined;
}

/** STATUS commands in one packet. */
const AT_ONCE = 50;

/**
 * States of folders, by one STATUS each, many in a round trip. Folders that the server refuses are left out.
 * @throws BrokerError CONNECTION_LOST
 */
export async function statesOf(
  connection: ImapConnection,
  mailboxes: readonly string[],
): Promise<Map<string, FolderState>> {
  const states = new Map<string, FolderState>();
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'HIGHESTMODSEQ'].map(atom);
  const selected = connection.selected?.path;
  if (selected !== undefined && mailboxes.includes(selected)) await catchUp(connection);
  for (let from = 0; from < mailboxes.length; from += AT_ONCE) {
    const some = mailboxes.slice(from, from + AT_ONCE);
    const done = await connection.together(() =>
      Promise.allSettled(
        some.map((mailbox) =>
          connection.exec('read', 'STATUS', [mailboxName(mailbox), items], {
            STATUS: ({ attributes: [name, values] }) => {
              if (some.includes(canonicalName(connection.nameOf(name)))) {
                states.set(canonicalName(connection.nameOf(name)), stateOf(values));
              }
            },
          }),
        ),
      ),
    );
    const [failed] = done.filter((one) => one.status === 'rejected');
    if (failed && !connection.usable) throw failed.reason;
  }
  return states;
}

function stateOf(status: ImapAttribute | undefined): FolderState {
  const items = listOf(status);
  const itemOf = (name: string) => {
    const at = items.findIndex((item) => textOf(item).toUpperCase() === name);
    return at < 0 ? undefined : items[at + 1];
  };
  return {
    messages: numberOf(itemOf('MESSAGES')),
    uidNext: nzNumberOf(itemOf('UIDNEXT')),
    uidValidity: nzNumberOf(itemOf('UIDVALIDITY')),
    highestModseq: modseqOf(itemOf('HIGHESTMODSEQ')) || undefined,
  };
}
