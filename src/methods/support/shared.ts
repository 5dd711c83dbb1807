import { createHash } from 'node:crypto';
import { breathe } from '../../imap/wire/turn-budget.js';
import type { Job, Work } from '../../pool/job.js';
import type { Meta } from '../../protocol/models.js';
import { now } from '../../runtime/moment.js';
import type { SessionContext } from '../context.js';
import { askedFor, canonical } from './canonical.js';
import { jobOf } from './job.js';
import { metaOf } from './meta.js';

type Options = Pick<Job, 'mailbox' | 'prefers'> & { times?: number };

/** An answer that requests share: made by the server now, or JSON that is kept. */
type SharedAnswer<T> = { meta: Meta } & ({ answer: T } | { json: string });

/** What is answered in place of an answer that the caller has kept. */
export interface Unchanged {
  unchanged: true;
  state: string;
  meta: Meta;
}

/**
 * A read that identical requests of the account share, and whose answer is kept for requests that may get an old one.
 * `meta` tells all requests but the one that began the read.
 * @param options with `times` how many times larger than an opened message an answer may be that is kept
 */
export async function shareRead<T extends object>(
  context: SessionContext,
  params: { maxAgeMs?: number | undefined },
  options: Options,
  work: Work<T>,
): Promise<T & { meta: Meta }> {
  const { meta, ...shared } = await share(context, params, options, work);
  const answer = 'json' in shared ? (JSON.parse(shared.json) as T) : shared.answer;
  return { ...answer, meta };
}

/**
 * {@link shareRead} of an answer that carries a `state`, which is made from what the answer says: where that is the
 * state that the caller has kept, {@link Unchanged} is answered. The state is made once for all who share the answer.
 * @param rows the members of the answer's only list
 */
export async function shareKept<T extends object>(
  context: SessionContext,
  { ifState, ...params }: { maxAgeMs?: number | undefined; ifState?: string | undefined },
  options: Options,
  work: Work<T>,
  rows: (answer: T) => readonly object[],
): Promise<(T & { state: string; meta: Meta }) | Unchanged> {
  const { meta, ...shared } = await share<{ state: string } & T>(
    context,
    params,
    options,
    async (connection, lease) => {
      const answer = await work(connection, lease);
      // The state comes first, so that it is found in kept JSON without reading megabytes of it.
      return { state: await stateOfRows(rows(answer)), ...answer };
    },
  );
  if ('json' in shared) {
    if (ifState !== undefined && shared.json.startsWith(`{"state":"${ifState}"`))
      return { unchanged: true, state: ifState, meta };
    return { ...(JSON.parse(shared.json) as { state: string } & T), meta };
  }
  const { answer } = shared;
  return answer.state === ifState ? { unchanged: true, state: ifState, meta } : { ...answer, meta };
}

/** A hash of rows, which another list practically never has. A list of thousands of rows takes several turns. */
async function stateOfRows(rows: readonly object[]): Promise<string> {
  const hash = createHash('sha256');
  for (const row of rows) {
    hash.update(JSON.stringify(row));
    hash.update('\n');
    await breathe();
  }
  return hash.digest('hex').slice(0, 40);
}

async function share<T extends object>(
  context: SessionContext,
  params: { maxAgeMs?: number | undefined },
  { times = 1, ...options }: Options,
  work: Work<T>,
): Promise<SharedAnswer<T>> {
  const { account, services, signal } = context;
  const { views, sessions } = services;
  const { maxAgeMs = 0 } = params;
  const key = `${context.method} ${canonical(askedFor(params))}`;
  signal.throwIfAborted();
  const kept = maxAgeMs > 0 ? views.recallAnswer(account.key, key, maxAgeMs) : undefined;
  if (kept) return { json: kept.json, meta: metaOf({ source: 'cache', asOf: new Date(kept.asked.date) }) };
  const ask: Work<{ answer: T; asked: ReturnType<typeof now> }> = async (connection, lease) => {
    const asked = now();
    return { answer: await work(connection, lease), asked };
  };
  const job = jobOf(context, { effect: 'read', ...options });
  const { value, coalesced } = await account.share(key, job, ask, { maxAgeMs });
  const { answer, asked } = value;
  // Kept where the request takes an old answer, or where an older one is kept, which no caller may get after this one.
  const useful = maxAgeMs > 0 || views.hasAnswer(account.key, key);
  // The account's last session may have ended meanwhile, with all that was known of it.
  if (useful && sessions.hasAccount(account.key)) {
    const most = times * views.limits.now.bodyBytes;
    views.keepAnswer(account.key, key, asked, () => JSON.stringify(answer), most);
  }
  return { answer, meta: metaOf({ source: coalesced ? 'coalesced' : 'server', asOf: new Date(asked.date) }) };
}
