import type { Job } from '../pool/job.js';
import type { RequestContext } from './context.js';

/** The job of a request: its name, deadline and abort signal, with what it does and to which folder. */
export function jobOf(context: RequestContext, options: { effect: Job['effect']; mailbox?: string | undefined }): Job {
  const { method, signal, deadlineAt } = context;
  return { label: method, signal, deadlineAt, ...options };
}
