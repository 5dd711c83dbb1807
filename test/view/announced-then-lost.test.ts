import type { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { now } from '../../src/runtime/moment.js';
import { fetchAllNew, fetchOlder } from '../../src/view/fetch-members.js';
import { MailboxView } from '../../src/view/mailbox-view.js';
import { placeView } from '../../src/view/place-view.js';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';

const names: DialectName[] = ['full', 'without QRESYNC', 'without CONDSTORE'];
let dialect: Dialect;

async function open(user: string): Promise<ImapConnection> {
  const connection = await ImapConnection.open('1', dialect.dovecot.server(), { user, password: PASSWORD });
  onTestFinished(() => connection.close());
  return connection;
}

/** A view of an INBOX of `count` messages, of which it knows the newest, the connection it follows, another client. */
async function followed(count: number, known: number) {
  const user = newUser();
  const other = await dialect.dovecot.client(user);
  onTestFinished(() => other.close());
  await append(other, count);
  await other.mailboxOpen('INBOX');
  const connection = await open(user);
  const view = new MailboxView();
  await placeView(view, connection, 'INBOX', 500);
  if (known > 0) await fetchOlder(view, connection, known, []);
  const confirm = async () => {
    const begun = now();
    expect(await connection.refresh()).toBe(true);
    view.confirm(begun);
  };
  return { user, other, connection, view, confirm };
}

async function append(other: ImapFlow, count: number): Promise<void> {
  for (let added = 0; added < count; added += 1) await other.append('INBOX', message());
}

describe.each(names)('messages that a server %s announces right before the connection is lost', (name) => {
  beforeAll(async () => {
    dialect = await startDialect(name);
  });
  afterAll(() => dialect.dovecot.stop());

  it.each([
    [0, 0],
    [3, 3],
    [3, 2],
  ])('are found on the next connection, in a folder of %i messages of which %i are known', async (count, known) => {
    const { user, other, connection, view, confirm } = await followed(count, known);
    const { version } = view.log;
    await append(other, 2);
    await confirm();
    // The response tells a mod-sequence above that of the announced messages, whose uids are not fetched yet.
    await other.messageFlagsAdd(String(count + 1), ['\\Flagged']);
    await confirm();
    expect(view.members.unknownOnTop).toBe(2);
    connection.close();
    const next = await open(user);
    await placeView(view, next, 'INBOX', 500);
    await fetchAllNew(view, next);
    const uids = Array.from({ length: known + 2 }, (_, index) => count - known + index + 1);
    expect(view.members.uids).toEqual(uids);
    const flagged = uids.filter((uid) => view.flagsOf(uid) === '["\\\\Flagged"]');
    expect(flagged).toEqual([count + 1]);
    // No list has to be fetched anew: the log tells the new messages.
    expect(view.log.since(version)?.added).toEqual([count + 1, count + 2]);
  });
});
