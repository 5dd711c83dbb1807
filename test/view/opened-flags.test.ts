import { describe, expect, it, onTestFinished } from 'vitest';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { RawClient, runBroker } from '../support/running-broker.js';

const QRESYNC = undefined;
const PLAIN = 'IMAP4rev1 UIDPLUS IDLE';

/** A folder of which one message is opened by its uid alone, and another client that changes it. */
async function opening(imapCapability: string | undefined) {
  const dovecot = await Dovecot.start(imapCapability === undefined ? {} : { imapCapability });
  onTestFinished(() => dovecot.stop());
  const broker = await runBroker(dovecot, {});
  onTestFinished(() => broker.stop());
  const user = newUser();
  await dovecot.deliver(
    user,
    'INBOX',
    [1, 2, 3].map((number) => message({ subject: `Mail ${number}` })),
  );
  const client = await RawClient.open(broker.url);
  onTestFinished(() => client.close());
  const session = await client.login(user);
  const { uidValidity } = (await client.call('message.list', { session, mailbox: 'INBOX', limit: 1 })) as {
    uidValidity: number;
  };
  const get = async (maxAgeMs = 0) =>
    (await client.call('message.get', {
      session,
      mailbox: 'INBOX',
      uidValidity,
      uids: [1],
      maxAgeMs,
      explain: true,
    })) as {
      messages: { flags: string[] }[];
      notFound: number[];
      meta: { source: string };
      explain: { commands: string[] };
    };
  const other = await dovecot.client(user);
  await other.mailboxOpen('INBOX');
  return { get, other };
}

describe.each([
  ['with QRESYNC', QRESYNC],
  ['without CONDSTORE', PLAIN],
])('a message that was opened and that no list has shown, %s', (_name, capability) => {
  it('costs the barrier alone the next time, and nothing where the answer may be old', async () => {
    const { get } = await opening(capability);
    await get();
    const again = await get();
    expect([again.explain.commands, again.meta.source]).toEqual([['NOOP'], 'validated']);
    expect((await get(60_000)).meta.source).toBe('cache');
  });

  it('has the flags that another client gave it since', async () => {
    const { get, other } = await opening(capability);
    await get();
    await other.messageFlagsAdd('1', ['\\Flagged'], { uid: true });
    expect((await get()).messages[0]?.flags).toContain('\\Flagged');
    await other.messageFlagsRemove('1', ['\\Flagged'], { uid: true });
    expect((await get()).messages[0]?.flags).not.toContain('\\Flagged');
  });

  it('is not there any more when another client has expunged it', async () => {
    const { get, other } = await opening(capability);
    await get();
    await other.messageDelete('1', { uid: true });
    expect(await get()).toMatchObject({ messages: [], notFound: [1] });
  });
});
