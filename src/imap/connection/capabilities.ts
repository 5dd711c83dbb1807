import type { Capabilities } from '../../protocol/methods/session.js';
import { offersModseqs } from './capability-list.js';
import type { ImapConnection } from './connection.js';

/** Extensions that are part of IMAP4rev2 (RFC 9051 appendix E). */
const inRev2 = new Set(['MOVE', 'UIDPLUS', 'LIST-STATUS', 'SPECIAL-USE', 'IDLE', 'ESEARCH', 'STATUS=SIZE']);

/** The server's capabilities, in the broker's terms. */
export function capabilitiesOf(connection: Pick<ImapConnection, 'capabilities'>): Capabilities {
  const offered = connection.capabilities;
  const rev2 = offered.has('IMAP4rev2');
  const has = (name: string) => offered.has(name) || (rev2 && inRev2.has(name));
  const names = [...offered.keys()];
  return {
    move: has('MOVE'),
    uidPlus: has('UIDPLUS'),
    sort: has('SORT'),
    thread: names.filter((name) => name.startsWith('THREAD=')).map((name) => name.slice('THREAD='.length)),
    listStatus: has('LIST-STATUS'),
    specialUse: has('SPECIAL-USE'),
    condstore: offersModseqs(offered),
    qresync: has('QRESYNC'),
    idle: has('IDLE'),
    notify: has('NOTIFY'),
    preview: has('PREVIEW'),
    quota: offersQuota(connection),
    esearch: has('ESEARCH'),
    statusSize: has('STATUS=SIZE'),
    appendLimit: appendLimit(offered.get('APPENDLIMIT')),
  };
}

/** Most capabilities that are told, and most characters of one: several times what servers offer. */
const MOST_TOLD = 250;
const MOST_CHARACTERS = 64;
/** Connections with the same capabilities have the same map, so what is told of it is one array as well. */
const told = new WeakMap<ReadonlyMap<string, boolean | number>, readonly string[]>();

/** The capabilities after the login, in the server's words and order; those beyond the bounds are left out. */
export function offeredBy({ capabilities }: Pick<ImapConnection, 'capabilities'>): readonly string[] {
  const known = told.get(capabilities);
  if (known) return known;
  const words: string[] = [];
  for (const [name, value] of capabilities) {
    if (words.length >= MOST_TOLD) break;
    const word = typeof value === 'number' ? `${name}=${value}` : name;
    if (word.length <= MOST_CHARACTERS && /^[!-~]+$/.test(word)) words.push(word);
  }
  told.set(capabilities, words);
  return words;
}

/** A server with RFC 9208 need not announce QUOTA of RFC 2087 in addition to `QUOTA=RES-*`. */
export function offersQuota({ capabilities }: Pick<ImapConnection, 'capabilities'>): boolean {
  return capabilities.has('QUOTA') || [...capabilities.keys()].some((name) => name.startsWith('QUOTA=RES-'));
}

/** `APPENDLIMIT` without a number means that each folder has its own limit. */
function appendLimit(value: boolean | number | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

/**
 * Whether a session of this server keeps the old folder selected after another client deleted, renamed or replaced it:
 * writes must not go there (Cyrus, Courier).
 */
export function staysInReplaced({ serverName }: Pick<ImapConnection, 'serverName'>): boolean {
  return /courier|cyrus/i.test(serverName ?? '');
}

/** Whether the server answers for expunged messages with made-up text until a NOOP reports them: Courier does. */
export function makesUpMissing({ serverName }: Pick<ImapConnection, 'serverName'>): boolean {
  return /courier/i.test(serverName ?? '');
}

/** Whether SORT gives messages with equal keys newest first, not in the order of the folder (RFC 5256 section 3). */
export function sortsEqualNewestFirst({ serverName }: Pick<ImapConnection, 'serverName'>): boolean {
  return /courier/i.test(serverName ?? '');
}

/** Whether a STATUS brings other bytes than the MAILBOXID of a folder that is not selected: Cyrus 3.6 sends freed memory. */
export function garblesMailboxIds(connection: Pick<ImapConnection, 'serverName' | 'has'>): boolean {
  return connection.has('OBJECTID') && /cyrus/i.test(connection.serverName ?? '');
}
