import type { Job, Work } from '../pool/job.js';
import type { Meta } from '../protocol/models.js';
import { askedFor, canonical } from './canonical.js';
import type { SessionContext } from './context.js';
import { jobOf } from './job.js';

/** A read that identical requests of the account share; the answer says so to those who did not begin it. */
export async function shared<T extends { meta: Meta }>(
  context: SessionContext,
  params: { maxAgeMs?: number | undefined },
  options: Pick<Job, 'mailbox' | 'prefers'>,
  work: Work<T>,
): Promise<T> {
  const key = `${context.method} ${canonical(askedFor(params))}`;
  const job = jobOf(context, { effect: 'read', ...options });
  const { value, coalesced } = await context.account.share(key, job, work, { maxAgeMs: params.maxAgeMs ?? 0 });
  // The others have the same value.
  return coalesced ? { ...value, meta: { ...value.meta, source: 'coalesced' } } : value;
}
