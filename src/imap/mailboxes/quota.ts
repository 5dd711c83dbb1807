import { offersQuota } from '../connection/capabilities.js';
import type { ImapConnection } from '../connection/connection.js';
import type { UntaggedHandler } from '../wire/command.js';
import { listOf, mailboxName, numberOf, textOf } from '../wire/tokens.js';
import { explainRefusal } from './mailboxes.js';

export interface QuotaResource {
  used: number;
  /** `null`: no limit, or one beyond the numbers of JSON. */
  limit: number | null;
}

/** A quota root and its limits. */
export interface Quota {
  root: string | null;
  /** In bytes. */
  storage: QuotaResource | null;
  messages: QuotaResource | null;
}

/**
 * The quota of a folder (RFC 9208); of several roots, the first that limits storage or messages. Undefined where the
 * server has no QUOTA.
 * @throws BrokerError NOT_FOUND, IMAP_NO
 */
export async function quotaOf(connection: ImapConnection, mailbox: string): Promise<Quota | undefined> {
  if (!offersQuota(connection)) return undefined;
  const roots: string[] = [];
  const quotas = new Map<string, Quota>();
  const QUOTA: UntaggedHandler = ({ attributes }) => {
    const quota = readQuota(textOf(attributes[0]), listOf(attributes[1]).map(textOf), numbersOf(attributes[1]));
    quotas.set(textOf(attributes[0]), quota);
  };
  const QUOTAROOT: UntaggedHandler = ({ attributes }) => {
    roots.push(...attributes.slice(1).map(textOf));
  };
  await connection
    .exec('read', 'GETQUOTAROOT', [mailboxName(mailbox)], { QUOTA, QUOTAROOT })
    .catch((failure) => explainRefusal(connection, mailbox, failure));
  for (const root of roots) {
    // Some servers answer with the roots only.
    if (!quotas.has(root)) await connection.exec('read', 'GETQUOTA', [root], { QUOTA });
  }
  const found = roots.flatMap((root) => quotas.get(root) ?? []);
  const empty: Quota = { root: roots[0] ?? null, storage: null, messages: null };
  return found.find(({ storage, messages }) => storage || messages) ?? empty;
}

function numbersOf(attribute: Parameters<typeof listOf>[0]): Array<number | undefined> {
  return listOf(attribute).map(numberOf);
}

/** Reads the list of an untagged QUOTA: triples of name, usage and limit; storage is in units of 1024 bytes. */
function readQuota(root: string, names: string[], numbers: Array<number | undefined>): Quota {
  const quota: Quota = { root, storage: null, messages: null };
  for (let at = 0; at + 2 < names.length; at += 3) {
    const name = names[at]?.toUpperCase();
    const resource = (unit: number) => readResource(numbers[at + 1], numbers[at + 2], unit);
    if (name === 'STORAGE') quota.storage = resource(1024);
    if (name === 'MESSAGE') quota.messages = resource(1);
  }
  return quota;
}

/** Servers write "no limit" as the largest number of 63 bits, which a JSON number does not hold. */
function readResource(used: number | undefined, limit: number | undefined, unit: number): QuotaResource | null {
  const safe = (value: number | undefined) =>
    value !== undefined && Number.isSafeInteger(value * unit) ? value * unit : null;
  const usage = safe(used);
  return usage === null ? null : { used: usage, limit: safe(limit) };
}
