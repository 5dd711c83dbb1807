import type { ImapConnection } from '../../src/imap/connection/connection.js';
import type { Follower } from '../../src/imap/connection/follower.js';
import type { SelectedMailbox } from '../../src/imap/connection/selected-mailbox.js';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import type { Field, MessageSummary } from '../../src/protocol/rows.js';
import type { Leases } from '../../src/view/mailbox-reader.js';
import type { MailboxView } from '../../src/view/mailbox-view.js';
import type { Views } from '../../src/view/views.js';

/** All that an index row can have. */
export const LIST_FIELDS = ['envelope', 'flags', 'size', 'internalDate', 'hasAttachment', 'preview'] as const;

/** What subjects and names are written in. */
export const scripts = {
  ASCII: ['Minutes of the meeting on the harbour extension', 'Anna Lindqvist'],
  'Latin-1': ['Besprechungsprotokoll: Anschlüsse für die Gebäude', 'Jörg Müller'],
  'other scripts': ['Протокол совещания о расширении гавани 議事録', 'Анна Ковалёва'],
} as const;
export type Script = keyof typeof scripts;

/** What else an index row can have, apart from labels. */
export const MORE_FIELDS: Field[] = [
  'attachments',
  'structure',
  'emailId',
  'threadId',
  { headers: ['List-Id', 'References', 'X-None'] },
];

/** An index row, all of its strings its own. */
export function rowOf(uid: number, script: Script = 'ASCII'): MessageSummary {
  const [subject, name] = scripts[script];
  const person = (role: string) => [{ name: `${name} ${role}`, address: `${role}.${uid}@mail.example.com` }];
  const date = new Date(1_700_000_000_000 + uid * 61_000).toISOString();
  return {
    uid,
    size: 2_000 + uid,
    internalDate: date,
    hasAttachment: uid % 7 === 0,
    preview: `${subject}: ${'the first words of it. '.repeat(4)}${uid}`,
    previewSource: 'server',
    envelope: {
      date,
      subject: `${subject} (${uid})`,
      messageId: `<${uid}.20231114.${uid * 7919}@mail.example.com>`,
      inReplyTo: uid % 3 === 0 ? `<${uid - 1}.20231114@mail.example.com>` : null,
      from: person('from'),
      sender: person('from'),
      replyTo: person('from'),
      to: [...person('to'), ...person('copy')],
      cc: [],
      bcc: [],
    },
  };
}

/** A row with all that it can have. */
export function fullRowOf(uid: number, script: Script = 'ASCII'): MessageSummary {
  const [subject] = scripts[script];
  const leaf = { parameters: { charset: 'utf-8' }, disposition: null, fileName: null, contentId: null, children: [] };
  const size = { encoding: 'base64', encodedSize: 4000 + uid, decodedSize: null };
  const file = { part: '2', fileName: `${subject} ${uid}.pdf`, type: 'application/pdf', contentId: null };
  return {
    ...rowOf(uid, script),
    attachments: [{ ...file, role: 'attachment', encodedSize: 4000 + uid, decodedSize: null, message: null }],
    structure: { part: '1', type: 'text/plain', ...leaf, ...size },
    emailId: `M${uid * 7919}`,
    threadId: uid % 2 === 0 ? null : `T${uid * 31}`,
    headers: [
      { name: 'List-Id', value: `${subject} <${uid}.lists.example.com>` },
      { name: 'References', value: `<${uid - 1}@example.com> <${uid - 2}@example.com>` },
    ],
  };
}

/** Uids of a folder of so many messages. */
export function uidsOf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 3 * index + 1);
}

/** What most messages have. */
export function flagsOf(uid: number): string[] {
  return [['\\Seen'], [], ['\\Answered', '\\Seen'], ['$Forwarded', '\\Flagged', '\\Seen']][uid % 4] ?? [];
}

/** A connection to a folder that never changes, for what looks at the memory alone. */
export function stillConnection(exists: number): ImapConnection {
  const selected: SelectedMailbox = {
    path: 'INBOX',
    uidValidity: 1,
    exists,
    mailboxId: undefined,
    uidNext: undefined,
    readOnly: false,
    permanentFlags: undefined,
    highestModseq: undefined,
  };
  const left = new Set<Follower>();
  const still: Partial<ImapConnection> = {
    usable: true,
    enabled: () => false,
    follow: async (_mailbox, follower) => {
      left.delete(follower);
      return selected;
    },
    unfollow: (follower) => left.add(follower),
    isFollowedBy: (follower) => !left.has(follower),
    refresh: async () => true,
  };
  return still as ImapConnection;
}

/** Has a folder read: what `learn` does to its view stands for what was fetched. */
export async function read(
  views: Views,
  [account, mailbox]: readonly [string, string],
  exists: number,
  learn: (view: MailboxView) => unknown,
): Promise<void> {
  const leases: Leases = {
    run: (_job, work) => work(stillConnection(exists), { extend: () => {}, wanted: new AbortController().signal }),
    slots: new NewestInSlot(),
  };
  await views.reader(account, mailbox).read(leases, {
    key: 'learn',
    maxAgeMs: 0,
    job: {
      label: 'test',
      effect: 'read',
      mailbox,
      signal: new AbortController().signal,
      deadlineAt: Number.POSITIVE_INFINITY,
    },
    fromMemory: () => undefined,
    fetch: async (view) => learn(view),
  });
}
