import { namespacesOf } from '../imap/connection/namespaces.js';
import { aclOf } from '../imap/mailboxes/acl.js';
import { mailboxInfo } from '../imap/mailboxes/mailbox-info.js';
import { listMailboxes } from '../imap/mailboxes/mailbox-list.js';
import { statusOf } from '../imap/mailboxes/mailbox-status.js';
import { mailboxTree, subscribedTree } from '../imap/mailboxes/mailbox-tree.js';
import {
  createMailbox,
  deleteMailbox,
  renameMailbox,
  subscribeMailbox,
  unsubscribeMailbox,
} from '../imap/mailboxes/mailboxes.js';
import { metadataOf } from '../imap/mailboxes/metadata.js';
import { canonicalName } from '../imap/wire/mailbox-names.js';
import type { mailboxMethods } from '../protocol/methods/mailbox.js';
import type { Handlers } from './context.js';
import { mailboxChanges } from './mailbox-changes.js';
import { computedSize } from './support/computed-size.js';
import { shareKept, shareRead } from './support/shared.js';
import { write } from './support/writing.js';

/** A list of thousands of folders has a megabyte, and is asked for more often than any message. */
const LARGER = 16;

/** Handlers of the methods in `src/protocol/methods/mailbox.ts`. */
export const mailboxHandlers = {
  'mailbox.list': (context, params) =>
    shareKept(
      context,
      params,
      { times: LARGER },
      async (connection) => {
        const { counts, subscribedOnly, facts } = params;
        const listed = await listMailboxes(connection, { counts, facts, ghosts: subscribedOnly });
        const { other, shared } = namespacesOf(connection);
        const tree = await mailboxTree(
          listed,
          [...other, ...shared].map(({ prefix }) => prefix),
        );
        return { mailboxes: subscribedOnly ? subscribedTree(tree) : tree };
      },
      ({ mailboxes }) => mailboxes,
    ),
  'mailbox.status': (context, params) =>
    shareKept(
      context,
      params,
      {},
      async (connection) => {
        const { mailboxes } = params;
        const counts = await statusOf(connection, mailboxes);
        const statuses = mailboxes.map((mailbox) => ({ mailbox, counts: counts.get(canonicalName(mailbox)) ?? null }));
        return { statuses };
      },
      ({ statuses }) => statuses,
    ),
  'mailbox.info': (context, params) => {
    const { mailbox, size } = params;
    return shareRead(context, params, { mailbox }, async (connection) => {
      const info = await mailboxInfo(connection, mailbox);
      return info.size === null && size ? { ...info, size: await computedSize(context, connection, info) } : info;
    });
  },
  'mailbox.acl': (context, params) =>
    shareRead(context, params, {}, async (connection) => ({ entries: await aclOf(connection, params.mailbox) })),
  'mailbox.metadata': (context, params) =>
    shareRead(context, params, {}, async (connection) => {
      const { mailbox, entries } = params;
      return { entries: await metadataOf(connection, mailbox, entries) };
    }),
  'mailbox.changes': mailboxChanges,
  'mailbox.create': (context, { mailbox, subscribe }) =>
    write(context, { others: 'all' }, async (connection) => {
      const { name, created } = await createMailbox(connection, mailbox, { subscribe });
      return { mailbox: name, created };
    }),
  'mailbox.rename': (context, { mailbox, newName }) =>
    write(context, { others: 'all' }, async (connection) => ({
      mailbox: await renameMailbox(connection, mailbox, newName),
    })),
  'mailbox.delete': (context, { mailbox }) =>
    write(context, { others: 'all' }, async (connection) => {
      await deleteMailbox(connection, mailbox);
      return { mailbox };
    }),
  'mailbox.subscribe': (context, { mailbox }) =>
    write(context, { others: 'all' }, async (connection) => ({
      mailbox: await subscribeMailbox(connection, mailbox),
    })),
  'mailbox.unsubscribe': (context, { mailbox }) =>
    write(context, { others: 'all' }, async (connection) => {
      await unsubscribeMailbox(connection, mailbox);
      return { mailbox };
    }),
} satisfies Pick<Handlers, keyof typeof mailboxMethods>;
