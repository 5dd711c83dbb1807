import type { Dovecot } from './dovecot.js';

/** Params of message.append for a message whose subject is its idempotency key, which is given where it is keyed. */
export const append = (session: string, key: string, keyed = true) => ({
  session,
  mailbox: 'INBOX',
  data: Buffer.from(`Subject: ${key}\r\n\r\nHello\r\n`).toString('base64'),
  timeoutMs: 30_000,
  ...(keyed ? { idempotencyKey: key } : {}),
});

/** The subjects of the messages in a user's INBOX, sorted. */
export async function subjects(dovecot: Dovecot, user: string): Promise<string[]> {
  const flow = await dovecot.client(user);
  await flow.mailboxOpen('INBOX');
  const found: string[] = [];
  for await (const { envelope } of flow.fetch('1:*', { envelope: true })) found.push(envelope?.subject ?? '');
  await flow.logout();
  return found.sort();
}
