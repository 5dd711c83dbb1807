import type { Mailbox } from '../../protocol/methods/mailbox.js';
import type { StatusCounts } from '../../protocol/models.js';
import { offersModseqs } from '../connection/capability-list.js';
import type { ImapConnection } from '../connection/connection.js';
import { mailboxIdOf } from '../connection/selected-mailbox.js';
import type { UntaggedHandler } from '../wire/command.js';
import { canonicalName } from '../wire/mailbox-names.js';
import {
  atom,
  type ImapAttribute,
  type ImapToken,
  listOf,
  mailboxName,
  modseqOf,
  numberOf,
  textOf,
} from '../wire/tokens.js';
import { countsOf, inPackets, statusItems, unlessRefused } from './mailbox-status.js';

/** What is told of a folder beside its counts. */
export type FolderFacts = NonNullable<Mailbox['facts']>;

/** What a STATUS told of a folder. */
export interface FolderStatus {
  counts: StatusCounts | null;
  told: Pick<FolderFacts, 'mailboxId' | 'highestModseq' | 'appendLimit' | 'size'>;
}

/** Most folders whose rights are asked for one by one. */
const MOST_RIGHTS = 10_000;

/** The STATUS items for a {@link FolderStatus}: those that the server offers. @param ids whether MAILBOXID is among them */
export function factItems(connection: ImapConnection, ids: boolean): ImapToken[] {
  const items = statusItems(connection);
  if (offersModseqs(connection)) items.push(atom('HIGHESTMODSEQ'));
  if (ids && connection.has('OBJECTID')) items.push(atom('MAILBOXID'));
  if (limitsDiffer(connection)) items.push(atom('APPENDLIMIT'));
  return items;
}

/** Whether each folder has an APPENDLIMIT of its own (RFC 7889 section 3.1). */
function limitsDiffer({ capabilities }: ImapConnection): boolean {
  return capabilities.has('APPENDLIMIT') && typeof capabilities.get('APPENDLIMIT') !== 'number';
}

/** Reads the list of an untagged STATUS that {@link factItems} asked for. */
export function readFolderStatus(attribute: ImapAttribute | undefined): FolderStatus {
  const list = listOf(attribute);
  const values = new Map<string, ImapAttribute | undefined>();
  for (let at = 0; at + 1 < list.length; at += 2) values.set(textOf(list[at]).toUpperCase(), list[at + 1]);
  return {
    counts: countsOf(attribute),
    told: {
      mailboxId: mailboxIdOf(values.get('MAILBOXID')) ?? null,
      // 0 stands for a folder that keeps none (RFC 7162 section 3.1.7).
      highestModseq: modseqOf(values.get('HIGHESTMODSEQ'))?.toString().replace(/^0$/, '') || null,
      appendLimit: numberOf(values.get('APPENDLIMIT')) ?? null,
      size: numberOf(values.get('SIZE')) ?? null,
    },
  };
}

/** The facts of a folder, from what STATUS, MYRIGHTS and LIST told. */
export function factsOf(
  { capabilities }: ImapConnection,
  status: FolderStatus | null | undefined,
  rights: string | undefined,
  attributes: ReadonlySet<string>,
): FolderFacts {
  const { mailboxId = null, highestModseq = null, appendLimit = null, size = null } = status?.told ?? {};
  const limit = capabilities.get('APPENDLIMIT');
  return {
    rights: rights ?? null,
    mailboxId,
    highestModseq,
    appendLimit: appendLimit ?? (typeof limit === 'number' && Number.isSafeInteger(limit) ? limit : null),
    noInferiors: attributes.has('\\noinferiors'),
    size,
  };
}

/** Rights, a letter each; undefined for what are none (RFC 4314 section 2.1). */
export function asRights(attribute: ImapAttribute | undefined): string | undefined {
  const letters = textOf(attribute);
  return /^[a-z0-9]{0,64}$/i.test(letters) ? letters : undefined;
}

/** Takes untagged MYRIGHTS (RFC 4314 section 3.8) by folder; what is no list of rights is left out. */
export function rightsCollector(connection: ImapConnection, into: Map<string, string>): UntaggedHandler {
  return ({ attributes: [name, rights] }) => {
    const letters = asRights(rights);
    if (letters !== undefined) into.set(canonicalName(connection.nameOf(name)), letters);
  };
}

/** The user's rights on folders, one MYRIGHTS each; without those that the server refuses, none where it has no ACL. */
export async function rightsOf(connection: ImapConnection, names: readonly string[]): Promise<Map<string, string>> {
  const rights = new Map<string, string>();
  if (!connection.has('ACL')) return rights;
  const MYRIGHTS = rightsCollector(connection, rights);
  await inPackets(connection, names.slice(0, MOST_RIGHTS), (name) =>
    unlessRefused(connection.exec('read', 'MYRIGHTS', [mailboxName(name)], { MYRIGHTS })),
  );
  return rights;
}
