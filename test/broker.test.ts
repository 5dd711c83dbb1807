import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contract, type MethodName } from '../src/protocol/contract.js';
import { Dovecot, newUser } from './support/dovecot.js';
import { message } from './support/mail.js';
import { RawClient, runBroker } from './support/running-broker.js';
import { waitFor } from './support/wait-for.js';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let client: RawClient;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot);
  client = await RawClient.open(broker.url);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
});

const mail = (subject: string) =>
  message({ from: 'Ada <ada@example.com>', to: 'bob@example.com', subject, text: `Text of ${subject}` });

describe('a broker in front of a real server', () => {
  it('does a whole visit over one socket, every answer as the contract says', async () => {
    const checked = async <M extends MethodName>(method: M, params: Parameters<typeof client.call<M>>[1]) => {
      const result = await client.call(method, params);
      expect(contract[method].result.safeParse(result).error, method).toBeUndefined();
      return result;
    };
    const opened = await checked('session.open', {
      server: 'dovecot',
      user: newUser(),
      auth: { password: dovecot.password },
    });
    const { session } = opened;
    await checked('session.info', { session });
    for (const number of [1, 2, 3]) {
      const data = mail(`Number ${number}`).toString('base64');
      expect(await checked('message.append', { session, mailbox: 'INBOX', data })).toMatchObject({ uid: number });
    }
    const { mailboxes } = await checked('mailbox.list', { session, counts: true });
    expect(mailboxes.find(({ name }) => name === 'INBOX')?.counts?.messages).toBe(3);
    const page = await checked('message.list', {
      session,
      mailbox: 'INBOX',
      limit: 2,
      fields: ['envelope', 'flags', 'size', 'internalDate', 'hasAttachment', 'preview'],
    });
    expect(page.messages.map(({ envelope }) => envelope?.subject)).toEqual(['Number 3', 'Number 2']);
    expect(page).toMatchObject({ total: 3 });
    const { uidValidity } = page;
    const next = await checked('message.list', { session, mailbox: 'INBOX', cursor: page.nextCursor ?? '' });
    expect(next.messages.map(({ uid }) => uid)).toEqual([1]);
    expect(next.nextCursor).toBeNull();
    const folder = { session, mailbox: 'INBOX', uidValidity };
    const got = await checked('message.get', { ...folder, uids: [1, 9], headers: true });
    expect(got.notFound).toEqual([9]);
    expect(got.messages[0]?.textBody?.[0]?.content?.trim()).toBe('Text of Number 1');
    const flagged = await checked('message.flag', { ...folder, uids: [1], action: 'add', flags: ['\\Seen', 'Work'] });
    expect(flagged.messages).toEqual([{ uid: 1, flags: ['Work', '\\Seen'].sort() }]);
    const found = await checked('message.search', { session, mailboxes: ['INBOX'], filter: { keyword: 'Work' } });
    expect(found.messages.map(({ uid }) => uid)).toEqual([1]);
    await checked('message.threads', { session, mailbox: 'INBOX' });
    const part = await checked('message.part', { ...folder, uid: 1, part: '1', transfer: 'inline' });
    expect(Buffer.from(part.data ?? '', 'base64').toString()).toContain('Text of Number 1');
    const copied = await checked('message.copy', { ...folder, uids: [1, 2], destination: 'Trash' });
    expect(copied.uids).toHaveLength(2);
    const moved = await checked('message.move', { ...folder, uids: [3], destination: 'Trash' });
    expect(moved.uids).toEqual([{ source: 3, destination: 3 }]);
    expect(await checked('message.delete', { ...folder, uids: [1, 3] })).toEqual({ deleted: [1], notFound: [3] });
    await checked('quota.get', { session });
    await checked('mailbox.status', { session, mailboxes: ['INBOX', 'Nowhere'] });
    await checked('broker.ping', {});
    await checked('rpc.discover', {});
    await checked('session.close', { session });
    await expect(checked('session.info', { session })).rejects.toMatchObject({ data: { kind: 'SESSION_EXPIRED' } });
  });

  it('streams a source within credit and the caller can give more', async () => {
    const session = await client.login(newUser());
    const big = message({ from: 'a@b.c', subject: 'big', text: 'x'.repeat(60).concat('\n').repeat(10_000) });
    await client.call('message.append', { session, mailbox: 'INBOX', data: big.toString('base64') });
    const { uidValidity } = await client.call('message.list', { session, mailbox: 'INBOX' });
    const received: Buffer[] = [];
    const ended = new Promise<void>((resolve) => {
      client.onBinary((frame) => {
        if (frame[0] === 2) resolve();
        if (frame[0] !== 1) return;
        received.push(frame.subarray(5));
        client.notify('$/credit', { stream: frame.readUInt32BE(1), bytes: frame.length - 5 });
      });
    });
    const source = await client.call('message.source', { session, mailbox: 'INBOX', uidValidity, uid: 1 });
    await ended;
    expect(Buffer.concat(received).length).toBe(source.size);
    await waitFor(() => expect([...broker.registry.stats.values()].every(({ busy }) => busy === 0)).toBe(true));
  });
});
