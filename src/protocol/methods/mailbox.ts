import { z } from 'zod';
import { keptMethod, readMethod, writeMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import { mailboxName, meta, state, statusCounts, uid, uidValidity } from '../models.js';
import { fields, messageSummary } from '../rows.js';

const { changedUids, pageSize, uidRanges, uidSetCharacters } = protocolLimits;

/** A set of uids, of which the number of ranges is bounded. */
const uidSet = z.union([
  z
    .string()
    .min(1)
    .max(uidSetCharacters)
    .regex(/^\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*$/, 'not a set of uids such as 1:100,105'),
  z.array(z.tuple([uid, uid])).max(uidRanges),
]);

const specialUse = z.enum(['inbox', 'all', 'archive', 'drafts', 'flagged', 'junk', 'sent', 'trash']);

const facts = {
  rights: z
    .string()
    .nullable()
    .describe(
      'What the user may do with the folder, a letter each (MYRIGHTS, RFC 4314 section 2.1); null where the server has no ACL or does not tell.',
    ),
  mailboxId: z
    .string()
    .nullable()
    .describe(
      'MAILBOXID (RFC 8474): stays when the folder is renamed. null where the server has none; in lists also on Cyrus, which tells it of an open folder alone.',
    ),
  highestModseq: z
    .string()
    .nullable()
    .describe('HIGHESTMODSEQ (RFC 7162), in decimal: grows with every change. null where the server keeps none.'),
  appendLimit: z
    .int()
    .nullable()
    .describe('Bytes of the largest message that the folder takes (APPENDLIMIT, RFC 7889); null where none is told.'),
  noInferiors: z.boolean().describe('Whether no folder can be made below this one.'),
};

const attributes = z
  .array(z.string())
  .describe(
    "The attributes of LIST, in the server's words, without `\\Marked` and `\\Unmarked`; empty for a level that the server does not list.",
  );

const mailbox = z.object({
  name: mailboxName.describe('Full name; use it in other methods exactly as it is.'),
  parent: z.string().nullable().describe('Full name of the level above; null at the top.'),
  leaf: z.string().describe('The last level of the name, for display.'),
  delimiter: z.string().nullable(),
  specialUse: specialUse.nullable(),
  specialUseSource: z
    .enum(['server', 'name'])
    .nullable()
    .describe('server: SPECIAL-USE; name: guessed from a well-known folder name.'),
  subscribed: z.boolean(),
  selectable: z
    .boolean()
    .describe('false: the folder holds no messages, only children, or is a subscription of a folder that is gone.'),
  hasChildren: z.boolean(),
  attributes,
  counts: statusCounts.nullable().describe('null unless asked for, or when the folder cannot be selected.'),
  facts: z
    .object({
      ...facts,
      size: z
        .int()
        .nullable()
        .describe('Bytes in all messages (STATUS=SIZE); null where the server does not count them: mailbox.info does.'),
    })
    .nullable()
    .describe('null unless asked for, or when the folder cannot be selected.'),
});
export type Mailbox = z.infer<typeof mailbox>;

const listState = state.describe('Stands for what this answer says, for ifState; opaque.');

const done = { mailbox: z.string() };

export const mailboxMethods = {
  'mailbox.list': keptMethod({
    name: 'mailbox.list',
    summary:
      'Lists all folders: parents before children; among siblings INBOX, flagged, drafts, sent, archive, all, junk, trash, then the others by name. Each parent is in the list.',
    params: {
      counts: z.boolean().default(false).describe('One LIST-STATUS where offered, else one STATUS per folder.'),
      subscribedOnly: z
        .boolean()
        .default(false)
        .describe('Only subscribed folders, also those that are gone, and the parents that hold them.'),
      facts: z
        .boolean()
        .default(false)
        .describe(
          'Answers facts: in the same LIST where the server can, else by one STATUS and one MYRIGHTS per folder, rights of the first 10,000.',
        ),
    },
    result: { mailboxes: z.array(mailbox), state: listState, meta },
    errors: ['IMAP_NO', 'TOO_LARGE'],
  }),
  'mailbox.status': keptMethod({
    name: 'mailbox.status',
    summary: 'Counts of folders, without selecting them: one LIST-STATUS where offered, else one STATUS per folder.',
    params: { mailboxes: z.array(mailboxName).min(1).max(200) },
    result: {
      statuses: z.array(
        z.object({
          mailbox: z.string(),
          counts: statusCounts.nullable().describe('null where the folder does not exist or cannot be selected.'),
        }),
      ),
      state: listState,
      meta,
    },
    errors: ['IMAP_NO'],
  }),
  'mailbox.info': readMethod({
    name: 'mailbox.info',
    summary:
      'What one folder is and allows: SELECT, STATUS, MYRIGHTS and LIST in one packet; where the folder is selected already, a NOOP and then the others.',
    params: {
      mailbox: mailboxName,
      size: z
        .boolean()
        .default(true)
        .describe('false: no sizes are fetched to compute size where the server does not count it.'),
    },
    result: {
      mailbox: mailboxName.describe('The name as the server has it.'),
      uidValidity,
      uidNext: z.int().nullable().describe('null where it is not known.'),
      messages: z.int(),
      unseen: z.int(),
      size: z
        .int()
        .nullable()
        .describe(
          'Bytes in all messages, by STATUS=SIZE; else the sum of RFC822.SIZE, which is fetched once and then for new messages. null above 200,000 messages, and where the server does not tell all sizes.',
        ),
      readOnly: z.boolean(),
      flags: z.array(z.string()).describe('Flags and keywords in use in the folder, at most 1,000.'),
      permanentFlags: z
        .array(z.string())
        .nullable()
        .describe(
          'Flags and keywords that the folder keeps, at most 1,000 (PERMANENTFLAGS). null where the server does not tell: then it keeps all flags.',
        ),
      keywordsAllowed: z
        .boolean()
        .describe('Whether message.flag may make new keywords: PERMANENTFLAGS has `\\*`, or is not told.'),
      specialUse: specialUse
        .nullable()
        .describe('By SPECIAL-USE of the server, and inbox; mailbox.list also guesses by well-known names.'),
      attributes,
      ...facts,
      meta,
    },
    errors: ['NOT_FOUND', 'IMAP_NO'],
  }),
  'mailbox.acl': readMethod({
    name: 'mailbox.acl',
    summary: 'Who may do what with a folder (GETACL, RFC 4314); it takes the right `a`.',
    params: { mailbox: mailboxName },
    result: {
      entries: z
        .array(
          z.object({
            identifier: z
              .string()
              .describe(
                'A user, a group or `anyone`, in the words of the server; one that begins with - takes rights away.',
              ),
            rights: z.string().describe('A letter each (RFC 4314 section 2.1).'),
          }),
        )
        .describe('At most 1,000.'),
      meta,
    },
    errors: ['UNSUPPORTED', 'NOT_FOUND', 'IMAP_NO'],
  }),
  'mailbox.metadata': readMethod({
    name: 'mailbox.metadata',
    summary: 'Annotations of a folder, or of the server (GETMETADATA, RFC 5464).',
    params: {
      mailbox: mailboxName.nullable().describe('null: annotations of the server.'),
      entries: z
        .array(
          z
            .string()
            .max(200)
            .regex(
              /^\/(?:private|shared)(?:\/[!#$&'+,\-.0-9:;<=>?@A-Z^_`a-z|~]+)+$/,
              'must begin with /private/ or /shared/',
            ),
        )
        .min(1)
        .max(20)
        .describe('Names such as `/shared/comment`.'),
    },
    result: {
      entries: z
        .array(
          z.object({
            entry: z.string(),
            value: z.string().nullable().describe('null where there is none, and where it has more than 65,536 bytes.'),
          }),
        )
        .describe('Those that were asked for, in their order.'),
      meta,
    },
    errors: ['UNSUPPORTED', 'NOT_FOUND', 'IMAP_NO'],
  }),
  'mailbox.changes': readMethod({
    name: 'mailbox.changes',
    summary:
      'What became of a folder since a state that message.list or an earlier mailbox.changes answered, also by another broker or before a restart. Speaks of new messages and of those in pages that carried a state.',
    params: {
      mailbox: mailboxName,
      since: state.describe('The oldest of the states that came with what the caller has.'),
      uids: uidSet
        .optional()
        .describe(
          'What the caller has: `changed` and `removed` then speak of these messages alone, and what is gone can be told on every server. Uids of 1 to 4294967295; a set such as `1:100,105`, or pairs of a first and a last uid.',
        ),
      rows: z.boolean().default(false).describe('Answers `rows`.'),
      fields,
    },
    result: {
      complete: z.boolean().describe('Whether nothing is unknown.'),
      reset: z
        .boolean()
        .describe('true: the folder is another one, or the state is none of this folder; list the folder again.'),
      unknown: z
        .array(z.enum(['added', 'changed', 'removed']))
        .describe(
          'Lists that lack something, because the server does not tell or there is too much of it. `changed`: list again what is shown. `removed`: ask with `uids`, or list again.',
        ),
      uidValidity,
      state: state.describe('The state now, for the next time.'),
      total: z.int().describe('Messages in the folder.'),
      added: z.array(uid).max(changedUids).describe('New messages, ascending; of more the newest.'),
      changed: z
        .array(z.object({ uid, flags: z.array(z.string()) }))
        .max(changedUids)
        .describe('Messages whose flags may be others than before, with all of them.'),
      removed: z
        .array(uid)
        .max(changedUids)
        .describe('Messages that are gone; may name some that the caller never heard of.'),
      rows: z
        .array(messageSummary)
        .max(pageSize)
        .optional()
        .describe('Only where asked for: the new messages, as message.list has them, newest first.'),
      more: z.literal(true).optional().describe('Only with `rows`: there are others among `added`; list the folder.'),
      meta,
    },
    errors: ['NOT_FOUND', 'IMAP_NO', 'TOO_LARGE'],
  }),
  'mailbox.create': writeMethod({
    name: 'mailbox.create',
    summary:
      'Creates a folder, with its parents. The name goes to the server as it is: where session.info tells a prefix, the name begins with that.',
    params: {
      mailbox: mailboxName,
      subscribe: z.boolean().default(true).describe('Whether to subscribe to it as well.'),
    },
    result: {
      mailbox: z.string().describe('The name as the server lists it.'),
      created: z.boolean().describe('false: the folder was there already; a level without messages becomes a folder.'),
    },
    errors: ['IMAP_NO'],
  }),
  'mailbox.rename': writeMethod({
    name: 'mailbox.rename',
    summary: 'Renames a folder and those below it; subscriptions move along. INBOX is refused.',
    params: { mailbox: mailboxName, newName: mailboxName },
    result: done,
    errors: ['NOT_FOUND', 'IMAP_NO'],
  }),
  'mailbox.delete': writeMethod({
    name: 'mailbox.delete',
    summary:
      'Deletes a folder with its messages, and its subscription; folders below it stay, or the server refuses. INBOX is refused.',
    params: { mailbox: mailboxName },
    result: done,
    errors: ['NOT_FOUND', 'IMAP_NO'],
  }),
  'mailbox.subscribe': writeMethod({
    name: 'mailbox.subscribe',
    summary: 'Adds a folder to the subscribed ones.',
    params: { mailbox: mailboxName },
    result: done,
    errors: ['NOT_FOUND', 'IMAP_NO'],
  }),
  'mailbox.unsubscribe': writeMethod({
    name: 'mailbox.unsubscribe',
    summary: 'Takes a folder out of the subscribed ones, also one that is gone.',
    params: { mailbox: mailboxName },
    result: done,
    errors: ['IMAP_NO'],
  }),
};
