import type { Job } from '../../pool/job.js';
import type { RequestContext } from '../context.js';

/** The job of a request: its name, slot, deadline and abort signal, with what it does and to which folder. */
export function jobOf(context: RequestContext, options: Pick<Job, 'effect' | 'mailbox' | 'lane' | 'prefers'>): Job {
  const { method, signal, deadlineAt, slot, trace } = context;
  return { label: method, signal, deadlineAt, slot, trace, ...options };
}
