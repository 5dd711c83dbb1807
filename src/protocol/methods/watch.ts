import { z } from 'zod';
import { sessionMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import { epoch, mailboxName, topic } from '../models.js';
import { defaultFields, field } from '../rows.js';

const { watchedPerSocket, watchedPerAccount } = protocolLimits;

const mailboxes = z
  .array(mailboxName)
  .max(watchedPerAccount)
  .describe(
    `Folders to watch beside those that this socket watches already. At most ${watchedPerAccount} an account, by all of its sockets, and ${watchedPerSocket} a socket. May be empty with \`folders\`, which counts as one.`,
  );

const fields = z
  .array(field)
  .max(20)
  .default(defaultFields)
  .describe(
    'Members of the rows in events of type new, as in message.list, beside those that the socket asked for before for these folders.',
  );

const folders = z
  .boolean()
  .default(false)
  .describe(
    'Sends events of type folders as well: after what this broker does to folders at once, after what others do within two minutes.',
  );

const watchedMailbox = z.object({
  mailbox: z.string().describe('The name as events have it.'),
  uidValidity: z.int().nullable(),
  lagMs: z
    .int()
    .describe(
      'Milliseconds by which a change may be told later than it happens, as long as the server can be reached.',
    ),
  state: z.string().nullable().describe('The state of the folder from which on changes are told; opaque.'),
});

const begun = {
  topic: topic.describe('The account, in its events; opaque, the same for all sockets within the epoch.'),
  epoch: epoch.describe('As in broker.hello; numbers of events count within it alone.'),
  seq: z.int().min(0).describe('Number of the last event before the watch: each change since then has a greater one.'),
  mailboxes: z.array(watchedMailbox).max(watchedPerAccount).describe('Those of the request.'),
  folders: z.boolean().describe('As in the request.'),
};

export const watchMethods = {
  'watch.start': sessionMethod({
    name: 'watch.start',
    summary:
      'Sends an `event` for each change in these folders from now on, after the answer, until the socket or the session ends.',
    effect: 'read',
    params: { mailboxes, fields, folders },
    result: z.object(begun),
    errors: ['NOT_FOUND', 'IMAP_NO'],
  }),
  'watch.stop': sessionMethod({
    name: 'watch.stop',
    summary: 'Sends no more events of these folders to this socket.',
    effect: 'local',
    params: {
      mailboxes: z
        .array(mailboxName)
        .max(watchedPerAccount)
        .optional()
        .describe('Default: all of the account, and events of type folders.'),
      folders: z.boolean().default(false).describe('Ends events of type folders.'),
    },
    result: z.object({ mailboxes: z.array(z.string()).describe('What this socket still watches of the account.') }),
  }),
  'events.resume': sessionMethod({
    name: 'events.resume',
    summary:
      'Begins a watch like watch.start, with the events that a lost socket missed: they follow the answer, each once, before anything newer.',
    effect: 'read',
    params: {
      epoch: epoch.describe('Of the last event that was received, or of the answer that began the watch.'),
      after: z.int().min(0).describe('The `seq` of that event or answer.'),
      mailboxes,
      fields,
      folders,
    },
    result: z.object({
      ...begun,
      missing: z
        .array(z.string())
        .describe('Folders of the request that are not there any more; the others are watched.'),
      replayed: z.int().describe('How many events follow that are older than the answer.'),
      resync: z
        .boolean()
        .describe(
          'true: what was missed cannot be told, because epoch is another one or the event was too long ago. List the folders again.',
        ),
    }),
    errors: ['IMAP_NO'],
  }),
};
