import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutgoingStream, SessionContext } from '../../../src/methods/context.js';
import { sendPart as part } from '../../../src/methods/message/part.js';
import { messageReadHandlers } from '../../../src/methods/message-read.js';
import { defaultPoolLimits } from '../../../src/pool/pool-limits.js';
import { Registry } from '../../../src/pool/registry.js';
import { BrokerError } from '../../../src/protocol/errors.js';
import { Dovecot } from '../../support/dovecot.js';
import { handlerContext } from '../../support/handler-context.js';
import { deterministicBytes, lines } from '../../support/mail.js';
import { bigAttachment } from '../../support/mail-fixtures-structure.js';
import { list } from '../../support/plain-handlers.js';
import { waitFor } from '../../support/wait-for.js';

const { 'message.source': source } = messageReadHandlers;

const SIZE = 2_500_000;
const bytes = deterministicBytes(SIZE);

let dovecot: Dovecot;
let registry: Registry;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  registry = new Registry(defaultPoolLimits);
});
afterAll(async () => {
  await registry.closeAll(1000);
  await dovecot.stop();
});

async function folderOf(...mail: Array<Buffer | string>) {
  const user = dovecot.user();
  const uids = await dovecot.deliver(user, 'INBOX', mail);
  const job = {
    label: 'test',
    effect: 'read' as const,
    signal: new AbortController().signal,
    deadlineAt: Date.now() + 10_000,
  };
  const credentials = { user, password: dovecot.password };
  const name = { tenant: 'test', server: dovecot.server(), user };
  const account = await registry.prove(name, credentials, job);
  const { uidValidity } = await account.run(job, (connection) => connection.select('INBOX'));
  return { user, account, uid: uids[0] ?? 0, uidValidity };
}

type Folder = Awaited<ReturnType<typeof folderOf>>;
type Options = { offset?: number; length?: number; transfer?: 'stream' | 'inline'; part?: string };

function ask(folder: Folder, context: SessionContext, options: Options = {}) {
  const { uid, uidValidity } = folder;
  return part(context, {
    session: 'x',
    mailbox: 'INBOX',
    uidValidity,
    uid,
    part: options.part ?? '2',
    transfer: options.transfer ?? 'stream',
    offset: options.offset ?? 0,
    ...(options.length === undefined ? {} : { length: options.length }),
  });
}

/** A stream that hands on a write only when the test lets it. */
class SlowStream implements OutgoingStream {
  readonly id = 2;
  readonly controller = new AbortController();
  readonly received: Buffer[] = [];
  #end: (how: 'end' | BrokerError) => void = () => undefined;
  readonly ended = new Promise<'end' | BrokerError>((resolve) => {
    this.#end = resolve;
  });
  #allow: Array<() => void> = [];
  waiting = 0;

  get signal(): AbortSignal {
    return this.controller.signal;
  }
  async write(chunk: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    this.waiting += 1;
    let abandon = () => {};
    await new Promise<void>((resolve, reject) => {
      this.#allow.push(resolve);
      abandon = () => reject(this.signal.reason);
      this.signal.addEventListener('abort', abandon);
    }).finally(() => this.signal.removeEventListener('abort', abandon));
    this.waiting -= 1;
    this.received.push(Buffer.from(chunk));
  }
  end(): void {
    this.#end('end');
  }
  abort(error: unknown): void {
    this.#end(error as BrokerError);
  }
  /** Takes one write, or everything from now on. */
  async takeOne(): Promise<void> {
    await waitFor(() => expect(this.#allow.length).toBeGreaterThan(0));
    this.#allow.shift()?.();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }
}

function slowly(folder: Folder, options: { signal?: AbortSignal } = {}) {
  const stream = new SlowStream();
  const context = handlerContext('message.part', folder.account, options);
  return { stream, context: { ...context, streams: { ...context.streams, open: () => stream } } };
}

async function drain(stream: SlowStream): Promise<'end' | BrokerError> {
  let how: 'end' | BrokerError | undefined;
  void stream.ended.then((value) => {
    how = value;
  });
  await waitFor(async () => {
    if (how === undefined && stream.waiting > 0) await stream.takeOne();
    expect(how).toBeDefined();
  }, 1);
  return stream.ended;
}

describe('a streamed part', () => {
  it('arrives whole and decoded, with what it is', async () => {
    const folder = await folderOf(bigAttachment(SIZE));
    const context = handlerContext('message.part', folder.account);
    const answer = await ask(folder, context);
    expect(answer).toMatchObject({ type: 'application/octet-stream', fileName: 'big.bin', stream: 2, data: null });
    expect(answer.encodedSize).toBeGreaterThan((SIZE * 4) / 3);
    expect((await context.outgoing.finished).equals(bytes)).toBe(true);
    await waitFor(() => expect(folder.account.stats).toMatchObject({ idle: 1, busy: 0 }));
  });

  it('gives any range of the decoded bytes', async () => {
    const folder = await folderOf(bigAttachment(SIZE));
    const ranges: Array<[number, number | undefined]> = [
      [0, 1],
      [1, 1],
      [57, 57],
      [262_143, 3],
      [1_000_000, 700_001],
      [SIZE - 1, undefined],
      [SIZE - 5, 100],
      [SIZE, undefined],
      [SIZE + 10, 5],
    ];
    for (const [offset, length] of ranges) {
      const context = handlerContext('message.part', folder.account);
      await ask(folder, context, { offset, ...(length === undefined ? {} : { length }) });
      const wanted = bytes.subarray(offset, length === undefined ? undefined : offset + length);
      expect((await context.outgoing.finished).equals(wanted)).toBe(true);
    }
  });

  it('is fetched no faster than it is taken, and the answer does not wait for the bytes', async () => {
    const folder = await folderOf(bigAttachment(SIZE));
    const { stream, context } = slowly(folder);
    let received = () => 0;
    const run = folder.account.run.bind(folder.account);
    const account = {
      key: folder.account.key,
      slots: folder.account.slots,
      share: folder.account.share.bind(folder.account),
      run: ((job, work) =>
        run(job, (connection, lease) => {
          received = () => connection.bytes.received;
          return work(connection, lease);
        })) as typeof run,
    };
    await ask(folder, { ...context, account });
    await waitFor(() => expect(stream.waiting).toBe(1));
    // One piece being taken, one more ahead of it.
    await waitFor(() => expect(received()).toBeGreaterThan(500_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(received()).toBeLessThan(600_000);
    // An index page goes by another connection meanwhile.
    const page = await list(handlerContext('message.list', folder.account), {
      session: 'x',
      mailbox: 'INBOX',
      limit: 5,
      fields: ['envelope'],
    });
    expect(page.messages).toHaveLength(1);
    expect(await drain(stream)).toBe('end');
    expect(stream.bytes.equals(bytes)).toBe(true);
  });

  it('gives its connection back when the caller aborts it', async () => {
    const folder = await folderOf(bigAttachment(SIZE));
    const logins = await dovecot.logins(folder.user);
    const { stream, context } = slowly(folder);
    await ask(folder, context);
    await stream.takeOne();
    stream.controller.abort(new BrokerError('CANCELLED', 'The caller aborted the stream.'));
    await waitFor(() => expect(folder.account.stats).toMatchObject({ idle: 1, busy: 0 }));
    const again = handlerContext('message.part', folder.account);
    await ask(folder, again);
    expect((await again.outgoing.finished).equals(bytes)).toBe(true);
    expect(await dovecot.logins(folder.user)).toBe(logins);
  });

  it('goes on where it was when its connection is lost', async () => {
    const folder = await folderOf(bigAttachment(SIZE));
    const { stream, context } = slowly(folder);
    await ask(folder, context);
    await stream.takeOne();
    await stream.takeOne();
    await dovecot.kick(folder.user);
    expect(await drain(stream)).toBe('end');
    expect(stream.bytes.equals(bytes)).toBe(true);
  });

  it('is aborted, never ended, when its message vanishes meanwhile', async () => {
    const folder = await folderOf(bigAttachment(SIZE));
    const { stream, context } = slowly(folder);
    await ask(folder, context);
    await waitFor(() => expect(stream.waiting).toBe(1));
    const other = await dovecot.client(folder.user);
    await other.mailboxOpen('INBOX');
    await other.messageDelete(String(folder.uid), { uid: true });
    await other.logout();
    const how = await drain(stream);
    // Dovecot may still hold the file open: then the bytes are the right ones to their end.
    if (how === 'end') expect(stream.bytes.equals(bytes)).toBe(true);
    else expect(how.kind).toMatch(/NOT_FOUND|IMAP_NO/);
  });

  it('is answered with the error when it never began', async () => {
    const folder = await folderOf(bigAttachment(1000));
    const { context } = slowly(folder);
    await expect(ask(folder, context, { part: '7' })).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'part' });
    const full = {
      ...context,
      streams: {
        ...context.streams,
        open: () => {
          throw new BrokerError('RATE_LIMITED', 'too many streams');
        },
      },
    };
    await expect(ask(folder, full)).rejects.toMatchObject({ kind: 'RATE_LIMITED' });
    expect(folder.account.stats.busy).toBe(0);
  });

  it('of damaged base64 and quoted-printable is what can be read of it', async () => {
    const folder = await folderOf(
      lines(
        'Subject: damaged',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Transfer-Encoding: BASE64',
        '',
        'SGVs!!bG8',
        's*d29ybGQ',
        '--b',
        'Content-Transfer-Encoding: Quoted-Printable',
        '',
        'a=ZZ=3d  ',
        `${' '.repeat(200_000)}x=`,
        '--b--',
      ),
    );
    const texts: string[] = [];
    for (const number of ['1', '2']) {
      const context = handlerContext('message.part', folder.account);
      await ask(folder, context, { part: number });
      texts.push((await context.outgoing.finished).toString());
    }
    expect(texts).toEqual(['Hello', `a=ZZ=\r\n${' '.repeat(200_000)}x`].map((text, at) => (at ? text : texts[0])));
    expect(texts[0]).toMatch(/^Hello/);
  });
});

describe('inline bytes', () => {
  it('come in base64 when they are few, else TOO_LARGE names the limit', async () => {
    const folder = await folderOf(bigAttachment(SIZE));
    const context = handlerContext('message.part', folder.account);
    const some = await ask(folder, context, { transfer: 'inline', offset: 100, length: 50 });
    expect(some).toMatchObject({ stream: null, data: bytes.subarray(100, 150).toString('base64') });
    const most = await ask(folder, context, { transfer: 'inline', length: 1024 * 1024 });
    expect(Buffer.from(most.data ?? '', 'base64').equals(bytes.subarray(0, 1024 * 1024))).toBe(true);
    const refused = ask(folder, context, { transfer: 'inline' });
    await expect(refused).rejects.toMatchObject({ kind: 'TOO_LARGE', message: expect.stringContaining('1048576') });
    expect(folder.account.stats).toMatchObject({ idle: 1, busy: 0 });
  });
});

describe('a source', () => {
  it('comes whole or in a range, byte for byte', async () => {
    const raw = bigAttachment(600_000);
    const folder = await folderOf(raw);
    const fetched = async (offset: number, length?: number) => {
      const context = handlerContext('message.source', folder.account);
      const { uid, uidValidity } = folder;
      const range = { offset, ...(length === undefined ? {} : { length }) };
      const asked = { session: 'x', mailbox: 'INBOX', uidValidity, uid, transfer: 'stream' as const, ...range };
      expect(await source(context, asked)).toEqual({ size: raw.length, stream: 2, data: null });
      return context.outgoing.finished;
    };
    expect((await fetched(0)).equals(raw)).toBe(true);
    expect((await fetched(262_144)).equals(raw.subarray(262_144))).toBe(true);
    expect((await fetched(5, 300_000)).equals(raw.subarray(5, 300_005))).toBe(true);
    expect(await fetched(raw.length + 5)).toHaveLength(0);
  });
});
