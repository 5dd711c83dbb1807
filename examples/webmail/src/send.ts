import { RpcError, type SessionClient } from 'imap-broker/client';
import { type Draft, DraftError, emptyDraft, rawMessage } from './compose.js';
import type { Folder } from './layout.js';

export function draftOf(form: FormData): Draft {
  const draft = emptyDraft();
  for (const name of Object.keys(draft) as (keyof Draft)[]) draft[name] = `${form.get(name) ?? ''}`;
  return draft;
}

/**
 * Puts a message into the folder for sent mail, and marks the one that it answers. The broker reads and files mail; it
 * does not send any. A webmail for people hands the message to SMTP first, here: with nodemailer for instance by
 * `await transport.sendMail({ envelope: { from, to }, raw })`, and files it once the SMTP server has taken it.
 *
 * @param answered query of the message that is answered; empty where there is none
 * @returns what was done, in words
 */
export async function fileInSent(
  mail: SessionClient,
  folders: Folder[],
  draft: Draft,
  user: string,
  answered: string,
): Promise<string> {
  const sent = folders.find(({ specialUse }) => specialUse === 'sent');
  if (!sent) throw new DraftError('There is no folder for sent mail.');
  const from = user.includes('@') ? user : `${user}@localhost`;
  const content = rawMessage(draft, from);
  try {
    // With the key a form that is sent twice, by a second click or after a lost connection, stores one message.
    await mail.message.append({ mailbox: sent.name, content, flags: ['\\Seen'], idempotencyKey: draft.key });
  } catch (error) {
    // The second time the Date header is another one: the first message is there.
    if (error instanceof RpcError && error.kind === 'IDEMPOTENCY_MISMATCH') return 'This message was sent before.';
    throw error;
  }
  const query = new URLSearchParams(answered);
  if (query.has('uid')) {
    const at = {
      mailbox: query.get('folder') ?? '',
      uidValidity: Number(query.get('v')),
      uids: [Number(query.get('uid'))],
    };
    // The answer is sent, whether or not its mark can be set.
    await mail.message.flag({ ...at, action: 'add', flags: ['\\Answered'] }).catch(() => {});
  }
  return `Put into ${sent.leaf}.`;
}
