import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dovecot, newUser } from '../../support/dovecot.js';
import { message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';

let mail: ServedMail;
beforeAll(async () => {
  mail = await serveMail(await Dovecot.start());
});
afterAll(() => mail.stop());

const data = message({ subject: 'Once' }).toString('base64');

/** A user with a session, and how many messages the folders have. */
async function visitor() {
  const user = newUser('once');
  const session = await mail.client.login(user);
  const counts = async (mailbox: string) => {
    const { statuses } = await mail.client.call('mailbox.status', { session, mailboxes: [mailbox] });
    return statuses[0]?.counts;
  };
  return { user, session, counts };
}

/** The same with a message in INBOX and a folder to put it in. */
async function withMessage() {
  const visit = await visitor();
  const { session, counts } = visit;
  await mail.client.call('message.append', { session, mailbox: 'INBOX', data });
  await mail.client.call('mailbox.create', { session, mailbox: 'Archive' });
  const uidValidity = (await counts('INBOX'))?.uidValidity ?? 0;
  return { ...visit, folder: { session, mailbox: 'INBOX', uidValidity } };
}

describe('message.append with an idempotency key', () => {
  it('stores one message, however often it is asked, and answers its uid each time', async () => {
    const { session, counts } = await visitor();
    const append = () =>
      mail.client.call('message.append', { session, mailbox: 'INBOX', data, idempotencyKey: 'draft-1' });
    const answers = [...(await Promise.all([append(), append(), append()])), await append()];
    expect(new Set(answers.map(({ uid }) => uid))).toEqual(new Set([1]));
    expect((await counts('INBOX'))?.messages).toBe(1);
  });

  it('is the same request by a stream and inline, and in another session of the user', async () => {
    const { user, session, counts } = await visitor();
    await mail.client.call('message.append', { session, mailbox: 'INBOX', data, idempotencyKey: 'draft-1' });
    const raw = Buffer.from(data, 'base64');
    const other = await mail.client.login(user);
    const params = { session: other, mailbox: 'INBOX', stream: 1, size: raw.length, idempotencyKey: 'draft-1' };
    const streaming = mail.client.call('message.append', params);
    const header = (type: number) => Buffer.from([type, 0, 0, 0, 1]);
    mail.client.ws.send(Buffer.concat([header(1), raw]));
    mail.client.ws.send(header(2));
    expect(await streaming).toMatchObject({ uid: 1 });
    expect((await counts('INBOX'))?.messages).toBe(1);
  });

  it('is refused for another message, folder or flag, and for another method', async () => {
    const { folder, session } = await withMessage();
    const first = { session, mailbox: 'INBOX', data, idempotencyKey: 'k' };
    await mail.client.call('message.append', first);
    const refused = { code: -32023, data: { kind: 'IDEMPOTENCY_MISMATCH', executed: 'no' } };
    const others = [
      { data: message({ subject: 'Twice' }).toString('base64') },
      { mailbox: 'Archive' },
      { flags: ['\\Seen'] },
      { internalDate: '2026-01-01T00:00:00Z' },
    ];
    for (const other of others) {
      await expect(mail.client.call('message.append', { ...first, ...other })).rejects.toMatchObject(refused);
    }
    const copy = { ...folder, uids: [1], destination: 'Archive', idempotencyKey: 'k' };
    await expect(mail.client.call('message.copy', copy)).rejects.toMatchObject(refused);
  });

  it('may be tried again when the server refused it', async () => {
    const { session, counts } = await visitor();
    const append = () => mail.client.call('message.append', { session, mailbox: 'Later', data, idempotencyKey: 'k' });
    await expect(append()).rejects.toMatchObject({ data: { kind: 'NOT_FOUND', executed: 'no' } });
    await mail.client.call('mailbox.create', { session, mailbox: 'Later' });
    expect(await append()).toMatchObject({ uid: 1 });
    expect((await counts('Later'))?.messages).toBe(1);
  });

  it('is forgotten when the last session of the user ends', async () => {
    const { user, session } = await visitor();
    const append = (token: string) =>
      mail.client.call('message.append', { session: token, mailbox: 'INBOX', data, idempotencyKey: 'k' });
    expect(await append(session)).toMatchObject({ uid: 1 });
    await mail.client.call('session.close', { session });
    expect(await append(await mail.client.login(user))).toMatchObject({ uid: 2 });
  });
});

describe('message.copy and message.move with an idempotency key', () => {
  it('copy once', async () => {
    const { folder, counts } = await withMessage();
    const copy = () =>
      mail.client.call('message.copy', { ...folder, uids: [1], destination: 'Archive', idempotencyKey: 'k' });
    const answers = [await copy(), await copy()];
    expect(answers[1]).toEqual(answers[0]);
    expect((await counts('Archive'))?.messages).toBe(1);
    const other = mail.client.call('message.copy', {
      ...folder,
      uids: [2],
      destination: 'Archive',
      idempotencyKey: 'k',
    });
    await expect(other).rejects.toMatchObject({ data: { kind: 'IDEMPOTENCY_MISMATCH' } });
  });

  it('answer where the message went, although it is not in the folder any more', async () => {
    const { folder, counts } = await withMessage();
    const move = (slot?: string) =>
      mail.client.call('message.move', { ...folder, slot, uids: [1], destination: 'Archive', idempotencyKey: 'k' });
    const answers = [await move(), await move('another slot')];
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ uids: [{ source: 1, destination: 1 }], notFound: [] });
    expect([(await counts('INBOX'))?.messages, (await counts('Archive'))?.messages]).toEqual([0, 1]);
  });
});
