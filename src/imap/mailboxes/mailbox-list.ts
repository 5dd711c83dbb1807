import { BrokerError } from '../../protocol/errors.js';
import { protocolLimits } from '../../protocol/limits.js';
import type { StatusCounts } from '../../protocol/models.js';
import { garblesMailboxIds } from '../connection/capabilities.js';
import type { ImapConnection } from '../connection/connection.js';
import { namespacesOf } from '../connection/namespaces.js';
import type { UntaggedHandler } from '../wire/command.js';
import { tooLarge } from '../wire/errors.js';
import { canonicalName } from '../wire/mailbox-names.js';
import type { UntaggedResponse } from '../wire/response.js';
import { atom, type ImapArgument, listOf, mailboxName, textOf } from '../wire/tokens.js';
import { breathe } from '../wire/turn-budget.js';
import {
  type FolderFacts,
  type FolderStatus,
  factItems,
  factsOf,
  readFolderStatus,
  rightsCollector,
  rightsOf,
} from './folder-facts.js';
import { catchUp, readStatus, statusItems, unlessRefused } from './mailbox-status.js';

/** A folder as LIST returns it. */
export interface ListedMailbox {
  name: string;
  delimiter: string | null;
  /** LIST attributes in lower case, for instance `\noselect`. */
  attributes: Set<string>;
  /** The attributes in the server's words. */
  shown: readonly string[];
  subscribed: boolean;
  counts: StatusCounts | null;
  facts: FolderFacts | null;
}

/** What a list tells of each folder beside its name. */
export interface ListOptions {
  counts: boolean;
  facts?: boolean | undefined;
  /** Whether subscribed folders that do not exist are included. */
  ghosts: boolean;
  /** False where nothing depends on `subscribed`: a server without LIST-EXTENDED is then asked for nothing but LIST. */
  subscriptions?: boolean;
}

/** More folders than a person has, fewer than exhaust the memory. */
const MAX_MAILBOXES = 50_000;
const MAX_LEVELS = 100;
/** Most attributes of a folder that are kept in the server's words, and most characters of one. */
const MOST_SHOWN = 30;
const MOST_ATTRIBUTE = 100;
/** Most bytes of LIST responses to one command, and of STATUS responses; 50,000 folders need a fifth of that. */
const MAX_BYTES = 64 * 1024 * 1024;

type Listing = Map<string, ListedMailbox>;

/**
 * All folders: one LIST where the server offers LIST-EXTENDED (RFC 5258) and, for counts and facts, LIST-STATUS
 * (RFC 5819) and LIST-MYRIGHTS (RFC 8440); else LIST, LSUB, and one STATUS and one MYRIGHTS per folder.
 * The first LIST is begun at once.
 * @throws BrokerError IMAP_NO, CONNECTION_LOST, TOO_LARGE above 50,000 folders or 64 MiB
 */
export async function listMailboxes(connection: ImapConnection, options: ListOptions): Promise<ListedMailbox[]> {
  const patterns = searchPatterns(connection);
  const extended = isExtended(connection) ? await extendedList(connection, patterns, options) : undefined;
  const listing = extended ?? (await plainList(connection, patterns, options));
  return [...listing.values()];
}

/** The folder of exactly this name as the server lists it; undefined where there is no such folder. */
export async function findMailbox(connection: ImapConnection, name: string): Promise<ListedMailbox | undefined> {
  const listing: Listing = new Map();
  // A `*` or `%` in the name is a wildcard here, so the server may list other folders as well.
  await connection.exec('read', 'LIST', ['', mailboxName(name)], { LIST: collector(connection, listing) });
  const wanted = canonicalName(name);
  const exact = listing.get(wanted) ?? likeliest(listing, wanted);
  return exact?.attributes.has('\\nonexistent') ? undefined : exact;
}

/** All subscribed folders, including those that do not exist. */
export async function listSubscribed(connection: ImapConnection): Promise<ListedMailbox[]> {
  const patterns = searchPatterns(connection);
  const listing: Listing = new Map();
  if (isExtended(connection)) {
    const args = [[atom('SUBSCRIBED')], '', patterns];
    const done = await unlessRefused(connection.exec('read', 'LIST', args, { LIST: collector(connection, listing) }));
    if (done) return [...listing.values()].filter(({ subscribed }) => subscribed);
    listing.clear();
  }
  for (const pattern of patterns) {
    await connection.exec('read', 'LSUB', ['', pattern], { LSUB: collector(connection, listing) });
  }
  return Array.from(listing.values(), (entry) => ({ ...entry, subscribed: true }));
}

/** Whether LIST takes options (RFC 5258). */
export function isExtended(connection: ImapConnection): boolean {
  return connection.has('LIST-EXTENDED') || connection.has('IMAP4rev2');
}

/** On some servers `*` leaves out the namespaces of others (Courier's `#shared.`), so these are listed by prefix. */
function searchPatterns(connection: ImapConnection): ImapArgument[] {
  const { personal, other, shared } = namespacesOf(connection);
  // Under `~` UW-IMAP has the home directories of all users, and the user's own folders by another name.
  const prefixes = [...personal.slice(1), ...other, ...shared]
    .map(({ prefix }) => prefix)
    .filter((prefix) => !prefix.startsWith('~'));
  return ['*', ...prefixes.filter(Boolean).map((prefix) => mailboxName(`${prefix}*`))];
}

async function extendedList(
  connection: ImapConnection,
  patterns: ImapArgument[],
  options: ListOptions,
): Promise<Listing | undefined> {
  const listing: Listing = new Map();
  const { counts, facts = false, ghosts } = options;
  const offered = connection.has('LIST-STATUS') || connection.has('IMAP4rev2');
  const withStatus = offered && (facts || counts);
  const withRights = facts && connection.has('LIST-MYRIGHTS');
  const wanted: ImapArgument[] = [atom('SUBSCRIBED'), atom('CHILDREN')];
  if (connection.has('SPECIAL-USE')) wanted.push(atom('SPECIAL-USE'));
  if (withRights) wanted.push(atom('MYRIGHTS'));
  if (withStatus) wanted.push(atom('STATUS'), itemsFor(connection, options));
  if (withStatus) await catchUp(connection);
  const statuses = new Map<string, FolderStatus>();
  const rights = new Map<string, string>();
  const collectRights = rightsCollector(connection, rights);
  const measure = byteLimit(connection);
  const listed = connection.exec('read', 'LIST', ['', patterns, atom('RETURN'), wanted], {
    LIST: collector(connection, listing),
    STATUS: (response) => {
      measure(response);
      const [name, told] = response.attributes;
      statuses.set(canonicalName(connection.nameOf(name)), readFolderStatus(told));
    },
    MYRIGHTS: (response) => {
      measure(response);
      collectRights(response);
    },
  });
  // Some servers offer these extensions and then refuse them: the plain commands are the fallback.
  if (!(await unlessRefused(listed))) return undefined;
  await addTold(connection, listing, options, withStatus ? statuses : undefined, withRights ? rights : undefined);
  if (ghosts) addGhosts(listing, await listSubscribed(connection));
  return listing;
}

async function plainList(connection: ImapConnection, patterns: ImapArgument[], options: ListOptions): Promise<Listing> {
  const listing: Listing = new Map();
  for (const pattern of patterns) {
    await connection.exec('read', 'LIST', ['', pattern], { LIST: collector(connection, listing) });
  }
  const subscribed = options.subscriptions === false ? [] : await listSubscribed(connection);
  for (const { name } of subscribed) {
    const entry = listing.get(name);
    if (entry) entry.subscribed = true;
  }
  await addTold(connection, listing, options);
  if (options.ghosts) addGhosts(listing, subscribed);
  return listing;
}

function addGhosts(listing: Listing, subscribed: readonly ListedMailbox[]): void {
  for (const entry of subscribed) {
    if (!listing.has(entry.name)) {
      listing.set(entry.name, { ...entry, attributes: new Set([...entry.attributes, '\\nonexistent']) });
    }
  }
}

function itemsFor(connection: ImapConnection, { facts }: ListOptions) {
  return facts ? factItems(connection, !garblesMailboxIds(connection)) : statusItems(connection);
}

/** Adds counts and facts; what the LIST did not bring is asked for by a STATUS and a MYRIGHTS for each folder. */
async function addTold(
  connection: ImapConnection,
  listing: Listing,
  options: ListOptions,
  brought?: ReadonlyMap<string, FolderStatus>,
  broughtRights?: ReadonlyMap<string, string>,
): Promise<void> {
  const { counts, facts = false } = options;
  if (!counts && !facts) return;
  const selectable = [...listing.values()].filter(isSelectable);
  const names = selectable.map(({ name }) => name);
  const question = { items: itemsFor(connection, options), read: readFolderStatus };
  const statuses = brought ?? (await readStatus(connection, names, question));
  const rights = facts ? (broughtRights ?? (await rightsOf(connection, names))) : undefined;
  for (const entry of selectable) {
    const status = statuses.get(entry.name);
    if (counts) entry.counts = status?.counts ?? null;
    if (facts) entry.facts = factsOf(connection, status, rights?.get(entry.name), entry.attributes);
    await breathe();
  }
}

/** Whether a folder can hold messages. */
export function isSelectable({ attributes }: Pick<ListedMailbox, 'attributes'>): boolean {
  return !attributes.has('\\noselect') && !attributes.has('\\nonexistent');
}

function collector(connection: ImapConnection, listing: Listing): UntaggedHandler {
  const measure = byteLimit(connection);
  return (response) => {
    measure(response);
    const { keyword, attributes } = response;
    const [flags, separator, path] = attributes;
    const name = canonicalName(connection.nameOf(path));
    const delimiter = textOf(separator).slice(0, 1) || null;
    if (!isUsable(name, delimiter)) {
      connection.noteUnreadable({ response: keyword });
      return;
    }
    const lower = new Set(listOf(flags).map((flag) => textOf(flag).toLowerCase()));
    const subscribed = lower.delete('\\subscribed');
    // Cyrus lists folders that were deleted during the LIST; only a subscription without a folder is worth keeping.
    if (lower.has('\\nonexistent') && !subscribed && keyword === 'LIST') {
      listing.delete(name);
      return;
    }
    const shown = shownAttributes(listOf(flags).map(textOf));
    listing.set(name, { name, delimiter, attributes: lower, shown, subscribed, counts: null, facts: null });
    if (listing.size > MAX_MAILBOXES) connection.giveUp(tooManyFolders(MAX_MAILBOXES));
  };
}

/** The attributes of LIST that are told, in the server's words: all but those that change with each new message. */
export function shownAttributes(attributes: readonly string[]): string[] {
  return attributes
    .slice(0, MOST_SHOWN)
    .filter((text) => text.length <= MOST_ATTRIBUTE && /^[!-~]+$/.test(text) && !/^\\(?:un)?marked$/i.test(text));
}

/** Adds up the response bytes of a command; a connection whose responses exceed the limit is closed. */
function byteLimit(connection: ImapConnection): (response: UntaggedResponse) => void {
  let bytes = 0;
  return ({ size }) => {
    bytes += size;
    if (bytes > MAX_BYTES) connection.giveUp(tooLarge('bytes of folders', MAX_BYTES));
  };
}

export function tooManyFolders(most: number): BrokerError {
  return new BrokerError('TOO_LARGE', `The account has more than ${most} folders.`);
}

/** Whether a request could name the folder, and it has no more levels than allowed: each level becomes a folder. */
function isUsable(name: string, delimiter: string | null): boolean {
  if (name === '' || name.length > protocolLimits.mailboxNameLength) return false;
  return delimiter === null || name.split(delimiter).length <= MAX_LEVELS;
}

/** The listed folder that a name most likely means: servers spell `inbox/x` as `INBOX/x`, and normalise accents. */
function likeliest(listing: Listing, wanted: string): ListedMailbox | undefined {
  const fold = (name: string) => name.normalize('NFC').replace(/^inbox(?=[^\p{L}\p{N}])/iu, 'INBOX');
  return [...listing.values()].find(({ name }) => fold(name) === fold(wanted));
}
