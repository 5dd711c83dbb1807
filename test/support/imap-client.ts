import type { ImapFlow } from 'imapflow';
import { onTestFinished } from 'vitest';
import type { Dovecot } from './dovecot.js';

/** Another mail client of a user, for within a test: it is closed when that test is over. */
export async function imapClient(dovecot: Dovecot, user: string): Promise<ImapFlow> {
  const flow = await dovecot.client(user);
  onTestFinished(() => flow.close());
  return flow;
}
