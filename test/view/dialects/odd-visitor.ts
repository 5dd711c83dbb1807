import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { Broker } from '../../../src/broker/broker.js';
import type { Result } from '../../../src/protocol/contract.js';
import type { ListField } from '../../../src/protocol/rows.js';
import { tenantWith } from '../../../src/session/tenant.js';
import { hashToken } from '../../../src/session/tenants.js';
import { expectedPage, type Outcome, outcomeOf, type PageStart, shownPage } from '../../model/expected.js';
import type { State } from '../../model/state.js';
import { RawClient, TOKEN } from '../../support/running-broker.js';
import type { ScriptedFolder } from '../../support/scripted-folder.js';
import { shownMail } from '../../support/scripted-rows.js';
import { startScriptedServer } from '../../support/scripted-server.js';

/** What the servers of these tests offer. */
export const offers = {
  'little more than IMAP4rev1': 'IMAP4rev1 ID IDLE UIDPLUS',
  ESEARCH: 'IMAP4rev1 ID IDLE UIDPLUS ESEARCH',
  CONDSTORE: 'IMAP4rev1 ID IDLE UIDPLUS ESEARCH ENABLE CONDSTORE',
  QRESYNC: 'IMAP4rev1 ID IDLE UIDPLUS ESEARCH ENABLE CONDSTORE QRESYNC',
} as const;
export type Offer = keyof typeof offers;

interface Asked {
  limit?: number;
  start?: PageStart;
  fields?: ListField[];
}

/** A broker in front of a scripted server whose INBOX is this folder, and a user who reads it, for within a test. */
export async function oddVisitor(folder: ScriptedFolder, offer: Offer) {
  const server = await startScriptedServer({ capabilities: offers[offer], on: folder.handlers() });
  onTestFinished(() => server.close());
  const broker = await Broker.start({
    listeners: [{ host: '127.0.0.1', port: 0 }],
    tenants: [tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] })],
    servers: [server.server()],
    log: pino({ level: 'silent' }),
  });
  onTestFinished(() => broker.stop());
  const client = await RawClient.open(broker.urls[0] ?? '');
  onTestFinished(() => client.close());
  const auth = { password: 'x' };
  const { session } = await client.call('session.open', { server: 'scripted', user: 'alice', auth });
  let last: Result<'message.list'> | undefined;
  return {
    server,
    client,
    session,
    /** What a page says, as something that can be compared with {@link expected}. */
    page: ({ limit = 500, start, fields }: Asked = {}): Promise<Outcome> =>
      outcomeOf(
        client
          .call('message.list', { session, mailbox: 'INBOX', limit, fields, ...(start && { cursor: start.cursor }) })
          .then((answer) => {
            last = answer;
            return shownPage(answer);
          }),
      ),
    /** Where the page behind the last one begins. */
    next: (): PageStart => {
      const below = last?.messages.at(-1)?.uid;
      if (!last?.nextCursor || below === undefined) throw new Error('no page behind the last one');
      return { cursor: last.nextCursor, uidValidity: last.uidValidity, below };
    },
    /** Numbers of messages and of unread ones. */
    counts: async () => {
      const { statuses } = await client.call('mailbox.status', { session, mailboxes: ['INBOX'] });
      return [statuses[0]?.counts?.messages, statuses[0]?.counts?.unseen];
    },
    search: () => client.call('message.search', { session, mailboxes: ['INBOX'], fields: ['flags'] }),
  };
}

/** A page of a folder as it is at this moment. */
export function expected(folder: ScriptedFolder, limit = 500, start?: PageStart): Outcome {
  return expectedPage(stateOf(folder), limit, start);
}

function stateOf({ uidValidity, uidNext, mails }: ScriptedFolder): State {
  const alice = [{ name: '', address: 'alice@example.com' }];
  return {
    uidValidity,
    uidNext,
    mails: mails.map(({ uid, flags }) => {
      const { size, internalDate, subject } = shownMail(uid);
      const nobody = { to: [], cc: [], bcc: [] };
      const envelope = { date: null, subject, messageId: `<${uid}@example.com>`, inReplyTo: null, ...nobody };
      return { uid, flags, size, internalDate, envelope: { ...envelope, from: alice, sender: alice, replyTo: alice } };
    }),
  };
}
