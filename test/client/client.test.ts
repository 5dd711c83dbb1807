import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  createClient,
  ImapAuthError,
  type MessageListParams,
  NotFoundError,
  RpcError,
  type SessionExpiring,
  UnauthenticatedError,
} from '../../src/client/index.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { deterministicBytes, message } from '../support/mail.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot);
});
afterAll(async () => {
  await broker.stop();
  await dovecot.stop();
});

const connect = () => createClient({ url: broker.url, token: TOKEN });
const open = async (client: ReturnType<typeof connect>) => {
  const auth = { password: PASSWORD };
  const { session } = await client.session.open({ server: 'dovecot', user: newUser(), auth });
  return client.withSession(session);
};
const chunksOf = async (body: ReadableStream<Uint8Array>) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks;
};
const bytesOf = async (body: ReadableStream<Uint8Array>) => Buffer.concat(await chunksOf(body));

describe('the typed client', () => {
  it('has one method for each of the contract, with its types', async () => {
    const client = connect();
    const mail = await open(client);
    const page = await mail.message.list({ mailbox: 'INBOX' });
    expectTypeOf(page.uidValidity).toEqualTypeOf<number>();
    expectTypeOf<MessageListParams>().not.toHaveProperty('session');
    expect(page.messages).toEqual([]);
    client.close();
  });

  it('appends inline and by upload, and reads both back as web streams', async () => {
    const client = connect();
    const mail = await open(client);
    const content = deterministicBytes(3 * 1024 * 1024);
    const raw = message({ from: 'a@b.c', subject: 'x', text: 't', attachments: [{ filename: 'a.bin', content }] });
    const small = await mail.message.append({ mailbox: 'INBOX', content: 'Subject: small\r\n\r\nhello\r\n' });
    const large = await mail.message.append({ mailbox: 'INBOX', content: new Uint8Array(raw) });
    const streamed = await mail.message.append({
      mailbox: 'INBOX',
      content: new Blob([new Uint8Array(raw)]).stream(),
      size: raw.length,
    });
    expect([small.uid, large.uid, streamed.uid]).toEqual([1, 2, 3]);
    const folder = { mailbox: 'INBOX', uidValidity: small.uidValidity ?? 0 };
    const part = await mail.message.part({ ...folder, uid: 3, part: '2' });
    expect(part.fileName).toBe('a.bin');
    expect((await bytesOf(part.body)).equals(content)).toBe(true);
    const inline = await mail.message.source({ ...folder, uid: 1, transfer: 'inline' });
    expect((await bytesOf(inline.body)).toString()).toContain('hello');
    client.close();
  });

  it('frees the connection when a download is cancelled', async () => {
    const client = connect();
    const mail = await open(client);
    const content = deterministicBytes(3 * 1024 * 1024);
    const raw = message({ from: 'a@b.c', subject: 'x', text: 't', attachments: [{ filename: 'a.bin', content }] });
    const { uidValidity } = await mail.message.append({ mailbox: 'INBOX', content: new Uint8Array(raw) });
    const folder = { mailbox: 'INBOX', uidValidity: uidValidity ?? 0 };
    const { body } = await mail.message.source({ ...folder, uid: 1 });
    await body.cancel();
    await expect.poll(() => [...broker.registry.stats.values()].reduce((sum, { busy }) => sum + busy, 0)).toBe(0);
    client.close();
  });

  it('rejects with errors of their own classes', async () => {
    const client = connect();
    const wrong = client.session.open({ server: 'dovecot', user: newUser(), auth: { password: 'wrong' } });
    await expect(wrong).rejects.toBeInstanceOf(ImapAuthError);
    const mail = await open(client);
    const missing = mail.message.list({ mailbox: 'Nowhere' });
    await expect(missing).rejects.toBeInstanceOf(NotFoundError);
    await expect(missing).rejects.toBeInstanceOf(RpcError);
    const refused = createClient({ url: broker.url, token: 'wrong' }).broker.ping();
    await expect(refused).rejects.toBeInstanceOf(UnauthenticatedError);
    client.close();
  });

  it('tells once of a session that ends soon', async () => {
    const short = await runBroker(dovecot, { sessions: { ttlMs: 200_000 } });
    const told: SessionExpiring[] = [];
    const client = createClient({ url: short.url, token: TOKEN, onExpiring: (expiring) => told.push(expiring) });
    const user = newUser();
    const { session, expiresAt } = await client.session.open({
      server: 'dovecot',
      user,
      auth: { password: PASSWORD },
    });
    const mail = client.withSession(session);
    await mail.message.list({ mailbox: 'INBOX' });
    await mail.message.list({ mailbox: 'INBOX' });
    expect(told).toEqual([{ server: 'dovecot', user, what: 'session', expiresAt }]);
    client.close();
    await short.stop();
  });
});
