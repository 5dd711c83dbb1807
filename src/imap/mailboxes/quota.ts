import { offersQuota } from '../connection/capabilities.js';
import type { ImapConnection } from '../connection/connection.js';
import type { UntaggedHandler } from '../wire/command.js';
import { type ImapAttribute, listOf, mailboxName, numberOf, textOf } from '../wire/tokens.js';
import { explainRefusal } from './mailboxes.js';

export interface QuotaResource {
  used: number;
  /** `null`: no limit, or one beyond the numbers of JSON. */
  limit: number | null;
}

/** A quota root and its limits. */
export interface Quota {
  root: string;
  /** In bytes. */
  storage: QuotaResource | null;
  messages: QuotaResource | null;
  /** Other resources, in the server's units. */
  others: Array<QuotaResource & { name: string }>;
}

/** Most roots of a folder that are told, and most resources of a root that are read; servers have one or two. */
const MOST_ROOTS = 20;
const MOST_RESOURCES = 20;
/** Most characters of the name of a root, or of a resource. */
const MOST_NAME = 200;

/**
 * The quotas of a folder (RFC 9208, RFC 2087), one for each of its roots, at most 20. Undefined where the server has no
 * QUOTA.
 * @throws BrokerError NOT_FOUND, IMAP_NO
 */
export async function quotasOf(connection: ImapConnection, mailbox: string): Promise<Quota[] | undefined> {
  if (!offersQuota(connection)) return undefined;
  const roots = new Set<string>();
  const quotas = new Map<string, Quota>();
  const QUOTA: UntaggedHandler = ({ attributes: [root, resources] }) => {
    const name = textOf(root);
    if (quotas.size < MOST_ROOTS || quotas.has(name)) quotas.set(name, readQuota(name, listOf(resources)));
  };
  const QUOTAROOT: UntaggedHandler = ({ attributes }) => {
    for (const root of attributes.slice(1, 1 + MOST_ROOTS)) if (roots.size < MOST_ROOTS) roots.add(textOf(root));
  };
  await connection
    .exec('read', 'GETQUOTAROOT', [mailboxName(mailbox)], { QUOTA, QUOTAROOT })
    .catch((failure) => explainRefusal(connection, mailbox, failure));
  for (const root of roots) {
    // Some servers answer with the roots only. A name of that length is not sent back.
    if (!quotas.has(root) && root.length <= MOST_NAME) await connection.exec('read', 'GETQUOTA', [root], { QUOTA });
  }
  return [...roots].map((root) => quotas.get(root) ?? readQuota(root, []));
}

/** Reads the list of an untagged QUOTA: triples of name, usage and limit; storage is in units of 1024 bytes. */
function readQuota(root: string, resources: readonly ImapAttribute[]): Quota {
  const quota: Quota = { root: root.slice(0, MOST_NAME), storage: null, messages: null, others: [] };
  for (let at = 0; at + 2 < resources.length && at < MOST_RESOURCES * 3; at += 3) {
    const name = textOf(resources[at]).toUpperCase().slice(0, MOST_NAME);
    const unit = name === 'STORAGE' ? 1024 : 1;
    const resource = readResource(numberOf(resources[at + 1]), numberOf(resources[at + 2]), unit);
    if (name === 'STORAGE') quota.storage = resource;
    else if (name === 'MESSAGE') quota.messages = resource;
    else if (name !== '' && resource) quota.others.push({ name, ...resource });
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
