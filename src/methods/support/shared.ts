import type { Job, Work } from '../../pool/job.js';
import type { Meta } from '../../protocol/models.js';
import { now } from '../../view/mailbox-view.js';
import type { SessionContext } from '../context.js';
import { askedFor, canonical } from './canonical.js';
import { jobOf } from './job.js';
import { metaOf } from './meta.js';

/**
 * A read that identical requests of the account share, and whose answer is kept for requests that may get an old one.
 * `meta` tells all requests but the one that began the read.
 * @param options with `times` how many times larger than an opened message an answer may be that is kept
 */
export async function shareRead<T extends object>(
  context: SessionContext,
  params: { maxAgeMs?: number | undefined },
  { times = 1, ...options }: Pick<Job, 'mailbox' | 'prefers'> & { times?: number },
  work: Work<T>,
): Promise<T & { meta: Meta }> {
  const { account, services, signal } = context;
  const { views, sessions } = services;
  const { maxAgeMs = 0 } = params;
  const key = `${context.method} ${canonical(askedFor(params))}`;
  signal.throwIfAborted();
  const kept = maxAgeMs > 0 ? views.recallAnswer(account.key, key, maxAgeMs) : undefined;
  if (kept)
    return { ...(JSON.parse(kept.json) as T), meta: metaOf({ source: 'cache', asOf: new Date(kept.asked.date) }) };
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
  return { ...answer, meta: metaOf({ source: coalesced ? 'coalesced' : 'server', asOf: new Date(asked.date) }) };
}
