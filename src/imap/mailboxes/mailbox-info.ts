import type { Result } from '../../protocol/contract.js';
import type { ImapConnection } from '../connection/connection.js';
import { type SelectedMailbox, shownFlags } from '../connection/selected-mailbox.js';
import type { UntaggedHandler } from '../wire/command.js';
import { canonicalName } from '../wire/mailbox-names.js';
import { atom, type ImapArgument, listOf, mailboxName, textOf } from '../wire/tokens.js';
import { type FolderStatus, factItems, factsOf, readFolderStatus, rightsOf } from './folder-facts.js';
import { isExtended, shownAttributes } from './mailbox-list.js';
import { statusOfOne, unlessRefused } from './mailbox-status.js';
import { useOf } from './special-use.js';

/** What is told of one folder; its size only where the server counts it. */
export type MailboxInfo = Omit<Result<'mailbox.info'>, 'meta' | 'explain'>;

/**
 * What a folder is and allows: SELECT, STATUS, MYRIGHTS and LIST in one packet. Where the folder is selected already, the
 * barrier goes before them: in one packet with it, Dovecot would count as the session last saw the folder. The folder
 * stays selected, and a view that follows it goes on.
 * @throws BrokerError NOT_FOUND, IMAP_NO, CONNECTION_LOST
 */
export async function mailboxInfo(connection: ImapConnection, mailbox: string): Promise<MailboxInfo> {
  const path = canonicalName(mailbox);
  const question = { items: factItems(connection, true), read: readFolderStatus };
  if (connection.selected?.path === path) await connection.select(path, { fresh: true });
  const asked = connection.together(() =>
    Promise.allSettled([
      connection.select(path),
      statusOfOne(connection, path, question),
      rightsOf(connection, [path]),
      attributesOf(connection, path),
    ]),
  );
  const [opened, counted, ...rest] = await asked;
  const selected = settled(opened);
  const [rights, attributes] = [settled(rest[0]), settled(rest[1])];
  let status = counted.status === 'fulfilled' ? counted.value : null;
  // The STATUS went before a SELECT that was repeated: it is of a folder before, or the server did not see the folder yet.
  if (!status?.counts || !isOf(status, selected)) status = await statusOfOne(connection, path, question);
  const counts = status?.counts ?? { ...selected, messages: selected.exists, unseen: await unseenIn(connection) };
  const lower = new Set(attributes.map((attribute) => attribute.toLowerCase()));
  const { permanentFlags, highestModseq, mailboxId } = selected;
  const facts = factsOf(connection, status, rights.get(path), lower);
  return {
    mailbox: path,
    uidValidity: selected.uidValidity,
    uidNext: counts.uidNext ?? selected.uidNext ?? null,
    messages: counts.messages,
    unseen: counts.unseen,
    readOnly: selected.readOnly,
    flags: [...(selected.flags ?? [])],
    permanentFlags: permanentFlags ? shownFlags(permanentFlags) : null,
    keywordsAllowed: permanentFlags?.has('\\*') ?? true,
    specialUse: useOf(path, lower) ?? null,
    attributes,
    ...facts,
    mailboxId: mailboxId ?? facts.mailboxId,
    highestModseq: facts.highestModseq ?? highestModseq?.toString() ?? null,
  };
}

function settled<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** Whether a STATUS is of the folder that is selected: another one may have taken its name meanwhile. */
function isOf({ counts, told }: FolderStatus, { uidValidity, mailboxId }: SelectedMailbox): boolean {
  if (counts?.uidValidity !== uidValidity) return false;
  return !told.mailboxId || !mailboxId || told.mailboxId === mailboxId;
}

/** The attributes of LIST in the server's words; none where it does not list the folder. */
async function attributesOf(connection: ImapConnection, path: string): Promise<string[]> {
  let shown: string[] = [];
  const LIST: UntaggedHandler = ({ attributes: [flags, , name] }) => {
    // A `*` or `%` in the name is a wildcard here.
    if (canonicalName(connection.nameOf(name)) === path) shown = shownAttributes(listOf(flags).map(textOf));
  };
  const args: ImapArgument[] = ['', mailboxName(path)];
  if (isExtended(connection) && connection.has('SPECIAL-USE')) {
    args.push(atom('RETURN'), [atom('SPECIAL-USE'), atom('CHILDREN')]);
  }
  await unlessRefused(connection.exec('read', 'LIST', args, { LIST }));
  return shown;
}

/** The number of unseen messages in the selected folder, for servers that refuse its STATUS. */
async function unseenIn(connection: ImapConnection): Promise<number> {
  let count = 0;
  await connection.exec('read', 'SEARCH', [atom('UNSEEN')], {
    SEARCH: ({ numbers }) => {
      count = numbers.length;
    },
  });
  return count;
}
