import { chownSync, existsSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dovecot } from '../support/dovecot.js';
import { mailOwner } from '../support/dovecot-conf.js';
import { benchMessage, INBOX_MESSAGES } from './content.js';

/** Whose INBOX the mail of all others is linked from. */
const TEMPLATE = 'template';
/** Messages in folders that are only counted or looked into. */
export const SMALL = 60;

/** Writes the mail once; {@link giveMail} gives it to users. */
export async function writeTemplate(dovecot: Dovecot, count = INBOX_MESSAGES): Promise<void> {
  await dovecot.bulkDeliver(TEMPLATE, 'INBOX', count, benchMessage);
}

/** Gives a user a folder with the newest messages of the template, as hard links: 2,000 take some 20 ms. */
export function giveMail(dovecot: Dovecot, user: string, mailbox = 'INBOX', newest = INBOX_MESSAGES): void {
  const maildir = (name: string) => join(dovecot.folder, 'mail', name, 'Maildir');
  const source = join(maildir(TEMPLATE), 'cur');
  const folder = mailbox === 'INBOX' ? maildir(user) : join(maildir(user), mailbox);
  makeMaildir([join(dovecot.folder, 'mail', user), maildir(user), folder]);
  const names = readdirSync(source).sort().slice(-newest);
  for (const name of names) linkSync(join(source, name), join(folder, 'cur', name));
}

function makeMaildir(levels: readonly string[]): void {
  const { uid, gid } = mailOwner();
  const deepest = levels.at(-1) ?? '';
  for (const folder of [...levels, ...['cur', 'new', 'tmp'].map((name) => join(deepest, name))]) {
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    chownSync(folder, uid, gid);
  }
}

/** Lets Dovecot index folders, so that no measured way pays for that. */
export async function index(dovecot: Dovecot, user: string, mailboxes: readonly string[]): Promise<void> {
  const flow = await dovecot.client(user);
  for (const mailbox of mailboxes) {
    await flow.mailboxOpen(mailbox, { readOnly: true });
    await flow.fetchAll('1:*', {
      ...{ uid: true, envelope: true, flags: true, size: true, internalDate: true },
      bodyStructure: true,
    });
  }
  await flow.logout();
}
