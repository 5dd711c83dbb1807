import { BrokerError } from '../protocol/errors.js';
import type { ImapConnection } from './connection.js';
import {
  atom,
  type ImapArgument,
  type ImapAttribute,
  type ImapToken,
  listOf,
  numberOf,
  rawExec,
  sequence,
  type UntaggedHandler,
} from './raw-exec.js';

/** What the server answered for one message: by item in upper case, for instance `FLAGS` or `BODY[1.2]`. */
export interface FetchedRow {
  uid: number;
  items: ReadonlyMap<string, ImapAttribute>;
}

/** An item of BODY.PEEK: a section such as `1.2` or `HEADER`, in part from an offset on. Sets no \Seen. */
export function peek(section: string, partial?: { start: number; length: number }): ImapArgument {
  const token: ImapToken & { partial?: number[] } = {
    type: 'ATOM',
    value: 'BODY.PEEK',
    section: section === '' ? [] : [atom(section)],
  };
  if (partial) token.partial = [partial.start, partial.length];
  return token;
}

/**
 * FETCH, as the server words it: octets stay octets where it sends literals, for raw 8-bit that imapflow's own FETCH
 * would read as UTF-8. One row for each message that the server told of with its uid, in no order: what it announces
 * on its own (flags that changed, RFC 9051 section 7.5.2) never makes a row.
 * @param landing memory for the octets of the first large literal, which is part of it then
 */
export async function fetchRows(
  connection: ImapConnection,
  set: string,
  items: readonly ImapArgument[],
  by: 'uid' | 'sequence',
  landing?: Buffer,
): Promise<FetchedRow[]> {
  const rows = new Map<number, Map<string, ImapAttribute>>();
  const command = by === 'uid' ? 'UID FETCH' : 'FETCH';
  const take: UntaggedHandler = ({ attributes }) => {
    const found = itemsOf(listOf(attributes[1]));
    const uid = numberOf(found.get('UID'));
    if (!uid) return;
    const row = rows.get(uid);
    if (row) for (const [name, value] of found) row.set(name, value);
    else rows.set(uid, found);
  };
  const args = [sequence(set), [atom('UID'), ...items]];
  await rawExec(connection, 'read', command, args, { FETCH: take }, landing);
  const asked = items.some((item) => !isAnnounced(nameOfItem(item)));
  return [...rows].flatMap(([uid, found]) =>
    !asked || [...found.keys()].some((name) => !isAnnounced(name)) ? [{ uid, items: found }] : [],
  );
}

/** What a server tells of messages without being asked (RFC 7162 section 3.2.3: with the uid to those who use QRESYNC). */
function isAnnounced(name: string | undefined): boolean {
  return name === 'UID' || name === 'FLAGS' || name === 'MODSEQ';
}

function nameOfItem(item: ImapArgument): string | undefined {
  return typeof item === 'object' && 'value' in item ? String(item.value).toUpperCase() : undefined;
}

/**
 * Repeats a fetch that was refused because another client expunged some of its messages (EXPUNGEISSUED, RFC 5530) once,
 * behind a NOOP that lets the server announce which.
 */
export async function survivingExpunge<T>(connection: ImapConnection, fetch: () => Promise<T>): Promise<T> {
  try {
    return await fetch();
  } catch (failure) {
    if (!(failure instanceof BrokerError) || failure.imap?.code?.toUpperCase() !== 'EXPUNGEISSUED') throw failure;
    await connection.noop();
    return fetch();
  }
}

/** The octets of a string or literal; undefined for NIL and lists. */
export function bytesOf(attribute: ImapAttribute | undefined): Buffer | undefined {
  if (!attribute || Array.isArray(attribute) || attribute.value == null) return undefined;
  return Buffer.isBuffer(attribute.value) ? attribute.value : Buffer.from(String(attribute.value));
}

function itemsOf(attributes: readonly ImapAttribute[]): Map<string, ImapAttribute> {
  const items = new Map<string, ImapAttribute>();
  for (let index = 0; index + 1 < attributes.length; index += 2) {
    const name = nameOf(attributes[index]);
    if (name) items.set(name, attributes[index + 1] ?? null);
  }
  return items;
}

function nameOf(attribute: ImapAttribute | undefined): string | undefined {
  if (!attribute || Array.isArray(attribute)) return undefined;
  const { value, section } = attribute;
  const name = String(value ?? '').toUpperCase();
  if (!section) return name;
  const [first] = section;
  return `${name}[${first && !Array.isArray(first) ? String(first.value ?? '').toUpperCase() : ''}]`;
}
