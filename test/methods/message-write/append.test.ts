import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asker } from '../../support/ask.js';
import { Dovecot, newUser } from '../../support/dovecot.js';
import { deterministicBytes, message } from '../../support/mail.js';

const kinds = {
  rich: {},
  'without LITERAL+': { imapCapability: 'IMAP4rev1 SASL-IR ID UIDPLUS' },
  'without UIDPLUS': { imapCapability: 'IMAP4rev1 SASL-IR ID' },
};
type Kind = keyof typeof kinds;

const servers = new Map<Kind, Dovecot>();
beforeAll(async () => {
  for (const [kind, options] of Object.entries(kinds)) servers.set(kind as Kind, await Dovecot.start(options));
});
afterAll(async () => {
  for (const dovecot of servers.values()) await dovecot.stop();
});

async function mailbox(kind: Kind = 'rich') {
  const dovecot = servers.get(kind) as Dovecot;
  const user = newUser('appender');
  return { dovecot, user, ...(await asker(dovecot, user)) };
}

type Mailbox = Awaited<ReturnType<typeof mailbox>>;

async function sourceOf({ ask, uidValidity }: Mailbox, uid: number): Promise<Buffer> {
  const folder = { mailbox: 'INBOX', uidValidity: await uidValidity() };
  const { data } = await ask('message.source', { ...folder, uid, transfer: 'inline' });
  return Buffer.from(data ?? '', 'base64');
}

async function* inPieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** Dovecot tells APPENDUID even when it offers no UIDPLUS: this stands before it and takes that away. */
async function withoutAppendUid(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.pipe(upstream);
    upstream.on('data', (data) => client.write(data.toString('latin1').replace(/\[APPENDUID [^\]]*\] /, ''), 'latin1'));
    client.on('close', () => upstream.destroy()).on('error', () => {});
    upstream.on('close', () => client.destroy()).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return { port: address.port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64');

describe('message.append', () => {
  it.each(Object.keys(kinds) as Kind[])('stores a message and answers its uid, at a server %s', async (kind) => {
    const mail = await mailbox(kind);
    const raw = message({ subject: 'Draft', text: 'Grüße' });
    await mail.ask('message.append', { mailbox: 'INBOX', data: base64(message({ subject: 'Before' })) });
    const answer = await mail.ask('message.append', { mailbox: 'INBOX', data: base64(raw) });
    expect(answer).toEqual({ mailbox: 'INBOX', uidValidity: await mail.uidValidity(), uid: 2 });
    expect((await sourceOf(mail, 2)).equals(raw)).toBe(true);
    await mail.close();
  });

  it('finds the uid by Message-ID where the server does not tell it, and none where there is no Message-ID', async () => {
    const dovecot = servers.get('without UIDPLUS') as Dovecot;
    const silent = await withoutAppendUid(dovecot.plainPort);
    const mail = await asker(dovecot, newUser(), { port: silent.port, tls: 'none' });
    const raw = base64(message({ messageId: '<same@example.com>' }));
    for (const uid of [1, 2]) {
      expect(await mail.ask('message.append', { mailbox: 'INBOX', data: raw })).toMatchObject({ uid });
    }
    const nameless = await mail.ask('message.append', { mailbox: 'INBOX', data: base64('Subject: x\r\n\r\nText') });
    expect(nameless).toMatchObject({ uid: null, uidValidity: await mail.uidValidity() });
    await mail.close();
    await silent.close();
  });

  it('keeps flags, keywords and the date of arrival', async () => {
    const mail = await mailbox();
    const internalDate = '2001-02-03T04:05:06.000Z';
    const flags = ['\\Seen', '\\Draft', '$Forwarded'];
    await mail.ask('message.append', { mailbox: 'INBOX', data: base64(message()), flags, internalDate });
    const { messages } = await mail.ask('message.list', { mailbox: 'INBOX', fields: ['flags', 'internalDate'] });
    expect(messages[0]?.internalDate).toBe(internalDate);
    expect([...(messages[0]?.flags ?? [])].sort()).toEqual([...flags].sort());
    await mail.close();
  });

  it('takes an upload of 25 MB', async () => {
    const mail = await mailbox();
    const raw = message({ attachments: [{ filename: 'big.bin', content: deterministicBytes(18 * 1024 * 1024) }] });
    const params = { mailbox: 'INBOX', stream: 1, size: raw.length };
    const { uid } = await mail.ask('message.append', params, { upload: inPieces(raw) });
    expect(uid).toBe(1);
    const { messages } = await mail.ask('message.list', { mailbox: 'INBOX', fields: ['size'] });
    expect(messages[0]?.size).toBe(raw.length);
    await mail.close();
  }, 30_000);

  it('stores 8-bit text as it is, and ends lines with CRLF', async () => {
    const mail = await mailbox();
    const text = Buffer.from('Subject: Grüße\nX: 1\n\nZeile eins\nZeile zwei', 'utf8');
    await mail.ask('message.append', { mailbox: 'INBOX', data: base64(text) });
    expect((await sourceOf(mail, 1)).toString()).toBe(text.toString().replaceAll('\n', '\r\n'));
    await mail.close();
  });

  it.each<[string, Record<string, unknown>, Uint8Array | undefined, string]>([
    ['neither data nor stream', {}, undefined, 'data'],
    ['both', { data: base64('a'), stream: 1, size: 1 }, Buffer.from('a'), 'data'],
    ['no size', { stream: 1 }, Buffer.from('abc'), 'size'],
    ['fewer bytes than stated', { stream: 1, size: 4 }, Buffer.from('abc'), 'size'],
    ['more bytes than stated', { stream: 1, size: 2 }, Buffer.from('abc'), 'size'],
    ['NUL bytes', { data: base64('Subject: a\0b\r\n\r\n') }, undefined, 'data'],
  ])('refuses %s, and stores nothing', async (_what, params, bytes, field) => {
    const mail = await mailbox();
    const options = bytes ? { upload: inPieces(bytes) } : {};
    await expect(mail.ask('message.append', { mailbox: 'INBOX', ...params }, options)).rejects.toMatchObject({
      kind: 'INVALID_PARAMS',
      field,
      executed: 'no',
    });
    expect((await mail.ask('message.list', { mailbox: 'INBOX' })).total).toBe(0);
    await mail.close();
  });

  it('refuses more than the broker takes, before a byte is read', async () => {
    const mail = await mailbox();
    const params = { mailbox: 'INBOX', stream: 1, size: 2000 };
    let read = 0;
    const upload = (async function* () {
      read += 1;
      yield Buffer.alloc(2000, 'a');
    })();
    await expect(mail.ask('message.append', params, { upload, appendBytes: 1000 })).rejects.toMatchObject({
      kind: 'TOO_LARGE',
      field: 'size',
      executed: 'no',
    });
    expect(read).toBe(0);
    await mail.close();
  });

  it('names a folder that is not there', async () => {
    const mail = await mailbox();
    await expect(mail.ask('message.append', { mailbox: 'Nowhere', data: base64(message()) })).rejects.toMatchObject({
      kind: 'NOT_FOUND',
      field: 'mailbox',
      executed: 'no',
    });
    await mail.close();
  });

  it('carries the words of a server whose quota is full', async () => {
    const dovecot = await Dovecot.start({ quota: '10K' });
    const { ask, close } = await asker(dovecot, newUser());
    const data = base64(message({ text: 'x'.repeat(20_000) }));
    await expect(ask('message.append', { mailbox: 'INBOX', data })).rejects.toMatchObject({
      kind: 'IMAP_NO',
      executed: 'no',
      imap: { status: 'NO', code: 'OVERQUOTA' },
    });
    await close();
    await dovecot.stop();
  });

  it('does not begin when its upload fails', async () => {
    const mail = await mailbox();
    const upload = (async function* () {
      yield Buffer.from('Subject: half');
      throw new Error('the sender went away');
    })();
    const params = { mailbox: 'INBOX', stream: 1, size: 100 };
    await expect(mail.ask('message.append', params, { upload })).rejects.toThrow('the sender went away');
    expect((await mail.ask('message.list', { mailbox: 'INBOX' })).total).toBe(0);
    await mail.close();
  });
});

describe('an append that is sent again with `repeat`', () => {
  it.each(Object.keys(kinds) as Kind[])(
    'is stored once where the broker that is asked again knows nothing of the first request: %s',
    async (kind) => {
      const { ask, close } = await mailbox(kind);
      const data = base64(message({ messageId: '<draft.1@example.com>' }));
      const params = { mailbox: 'INBOX', data, idempotencyKey: 'draft-1' };
      await ask('message.append', { mailbox: 'INBOX', data: base64(message()) });
      const first = await ask('message.append', { ...params, repeat: true });
      expect(first).toMatchObject({ uid: 2 });
      for (let again = 0; again < 2; again += 1) {
        expect(await ask('message.append', { ...params, repeat: true })).toEqual(first);
      }
      // Without `repeat` a broker that knows nothing of the first request stores the message again.
      expect(await ask('message.append', params)).toMatchObject({ uid: 3 });
      const { statuses } = await ask('mailbox.status', { mailboxes: ['INBOX'] });
      expect(statuses[0]?.counts?.messages).toBe(3);
      await close();
    },
  );

  it('needs a key, a Message-ID and a folder', async () => {
    const { ask, close } = await mailbox();
    const data = base64(message());
    const refused = { kind: 'INVALID_PARAMS', field: 'repeat', executed: 'no' };
    await expect(ask('message.append', { mailbox: 'INBOX', data, repeat: true })).rejects.toMatchObject(refused);
    const nameless = { mailbox: 'INBOX', data: base64('Subject: x\r\n\r\nText'), idempotencyKey: 'k', repeat: true };
    await expect(ask('message.append', nameless)).rejects.toMatchObject(refused);
    const missing = { mailbox: 'Missing', data, idempotencyKey: 'k', repeat: true };
    await expect(ask('message.append', missing)).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'mailbox' });
    await close();
  });
});
