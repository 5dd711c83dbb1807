import type { SessionClient } from 'imap-broker/client';

const FLAGS = {
  seen: { action: 'add', flags: ['\\Seen'], done: 'Marked as read.' },
  unseen: { action: 'remove', flags: ['\\Seen'], done: 'Marked as unread.' },
  flagged: { action: 'add', flags: ['\\Flagged'], done: 'Starred.' },
  unflagged: { action: 'remove', flags: ['\\Flagged'], done: 'The star is gone.' },
} as const;

/** Does what a form asks for with the messages that it names. @returns what was done, in words */
export async function actOn(mail: SessionClient, form: FormData): Promise<string> {
  const action = `${form.get('action') ?? ''}`;
  const destination = form.get('move');
  const uids = form.getAll('uid').map(Number);
  if (uids.length === 0) return 'No message was chosen.';
  const at = { mailbox: `${form.get('folder')}`, uidValidity: Number(form.get('v')), uids };
  if (typeof destination === 'string') return moved(mail, at, destination);
  if (action === 'trash') {
    const { mailboxes } = await mail.mailbox.list({ maxAgeMs: 60_000 });
    const trash = mailboxes.find(({ specialUse }) => specialUse === 'trash');
    if (trash && trash.name !== at.mailbox) return moved(mail, at, trash.name);
    const { deleted } = await mail.message.delete(at);
    return `${messages(deleted.length)} deleted for good.`;
  }
  if (!Object.hasOwn(FLAGS, action)) return 'Nothing was done.';
  const { done, flags, ...change } = FLAGS[action as keyof typeof FLAGS];
  await mail.message.flag({ ...at, ...change, flags: [...flags] });
  return done;
}

async function moved(
  mail: SessionClient,
  at: { mailbox: string; uidValidity: number; uids: number[] },
  destination: string,
) {
  const { notFound } = await mail.message.move({ ...at, destination });
  return `${messages(at.uids.length - notFound.length)} moved to ${destination}.`;
}

function messages(count: number): string {
  return count === 1 ? 'The message was' : `${count} messages were`;
}
