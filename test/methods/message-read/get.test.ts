import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Params } from '../../../src/protocol/contract.js';
import type { BodyItem } from '../../../src/protocol/models.js';
import { Dovecot } from '../../support/dovecot.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { lines, message } from '../../support/mail.js';
import { get, list } from '../../support/plain-handlers.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

async function folderOf(...mail: Array<Buffer | string>) {
  const user = dovecot.user();
  const uids = await dovecot.deliver(user, 'INBOX', mail);
  const account = await directAccount(dovecot.server(), { user, password: dovecot.password });
  const { uidValidity } = await account.connection.select('INBOX');
  const open = (
    options: Partial<Pick<Params<'message.get'>, 'uids' | 'uidValidity' | 'headers' | 'maxTextBytes' | 'only'>> = {},
  ) =>
    get(handlerContext('message.get', account), {
      session: 'x',
      mailbox: 'INBOX',
      uidValidity: options.uidValidity ?? uidValidity,
      uids: options.uids ?? uids,
      headers: options.headers ?? false,
      maxTextBytes: options.maxTextBytes ?? 512 * 1024,
      only: options.only,
    });
  return { user, account, uids, uidValidity, open };
}

function textOf(body: BodyItem[] | null): string {
  return (body ?? [])
    .map(({ content }) => content)
    .join('\n')
    .trim();
}

function single(encoding: string, body: string | Buffer, charset = 'utf-8'): Buffer {
  return lines(
    'Subject: s',
    `Content-Type: text/plain; charset=${charset}`,
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    body,
  );
}

describe('message.get', () => {
  it('names what is missing and opens the rest, each once', async () => {
    const { account, open, uids } = await folderOf(message({ text: 'a' }), message({ text: 'b' }));
    const [first = 0, second = 0] = uids;
    const answer = await open({ uids: [second, 777, first, second, 888] });
    expect(answer.messages.map(({ uid, textBody }) => [uid, textOf(textBody)])).toEqual([
      [second, 'b'],
      [first, 'a'],
    ]);
    expect(answer.notFound).toEqual([777, 888]);
    await account.close();
  });

  it('leaves out what vanished between list and get', async () => {
    const { user, account, open, uids } = await folderOf(message({ text: 'a' }), message({ text: 'b' }));
    await list(handlerContext('message.list', account), { session: 'x', mailbox: 'INBOX', limit: 10, fields: [] });
    const other = await dovecot.client(user);
    await other.mailboxOpen('INBOX');
    await other.messageDelete(String(uids[0]), { uid: true });
    await other.logout();
    const answer = await open();
    expect(answer.notFound).toEqual([uids[0]]);
    expect(answer.messages.map(({ uid }) => uid)).toEqual([uids[1]]);
    await account.close();
  });

  it('has flags as they are, although what it opens is asked for together with what is new', async () => {
    const { user, account, open, uids } = await folderOf(message({ text: 'a' }));
    await list(handlerContext('message.list', account), {
      session: 'x',
      mailbox: 'INBOX',
      limit: 10,
      fields: ['flags'],
    });
    const other = await dovecot.client(user);
    await other.mailboxOpen('INBOX');
    await other.messageFlagsAdd(String(uids[0]), ['\\Flagged'], { uid: true });
    await other.logout();
    expect((await open()).messages.map(({ flags, textBody }) => [flags, textOf(textBody)])).toEqual([
      [['\\Flagged'], 'a'],
    ]);
    await account.close();
  });

  it('refuses another UIDVALIDITY', async () => {
    const { account, open, uidValidity } = await folderOf(message());
    await expect(open({ uidValidity: uidValidity + 1 })).rejects.toMatchObject({ kind: 'STATE_CHANGED' });
    await account.close();
  });

  it.each([
    ['8bit', (text: string) => text],
    [
      'base64',
      (text: string) =>
        (
          Buffer.from(text)
            .toString('base64')
            .match(/.{1,76}/g) ?? []
        ).join('\r\n'),
    ],
    [
      'quoted-printable',
      (text: string) =>
        [...Buffer.from(text)].map((byte, at) => `=${byte.toString(16)}${at % 24 === 23 ? '=\r\n' : ''}`).join(''),
    ],
  ])('cuts a long text at whole characters and downloads little more than that: %s', async (encoding, encode) => {
    const text = 'äöü€'.repeat(100_000);
    const { account, open } = await folderOf(single(encoding, encode(text)));
    for (const maxTextBytes of [1, 2, 1000, 1001, 1002, 1003, 65_536]) {
      const { received } = account.connection.bytes;
      const [opened] = (await open({ maxTextBytes })).messages;
      const content = opened?.textBody?.[0]?.content ?? '';
      expect(opened).toMatchObject({ truncated: true });
      expect(opened?.textBody?.[0]).toMatchObject({ truncated: true, charsetProblem: false });
      expect(text.startsWith(content)).toBe(true);
      expect(Buffer.byteLength(content)).toBeLessThanOrEqual(maxTextBytes);
      expect(Buffer.byteLength(content)).toBeGreaterThan(maxTextBytes - 3);
      expect(account.connection.bytes.received - received).toBeLessThan(maxTextBytes * 3.2 + 2000);
    }
    const [whole] = (await open({ maxTextBytes: 2 * 1024 * 1024 })).messages;
    expect(whole?.textBody?.[0]?.truncated).toBe(false);
    expect(whole?.textBody?.[0]?.content?.trimEnd()).toBe(text);
    expect(whole?.truncated).toBe(false);
    await account.close();
  });

  it('cuts between the bytes of every charset', async () => {
    const shift = Buffer.from('\x1b$B$3$s$K$A$O\x1b(B', 'latin1');
    const { account, open } = await folderOf(
      single('8bit', Buffer.from('d6d0cec4d6d0cec4', 'hex'), 'gb18030'),
      single('7bit', shift, 'iso-2022-jp'),
    );
    for (let maxTextBytes = 1; maxTextBytes < 8; maxTextBytes += 1) {
      for (const { textBody } of (await open({ maxTextBytes })).messages) {
        const [text] = textBody ?? [];
        expect('中文中文こんにちは').toContain(text?.content ?? 'none');
        expect(text).toMatchObject({ charsetProblem: false, truncated: true });
      }
    }
    await account.close();
  });

  it('leaves texts out when none are wanted', async () => {
    const { account, open } = await folderOf(message({ text: 'a', html: '<b>a</b>' }));
    const { textBody, htmlBody, truncated } = (await open({ maxTextBytes: 0 })).messages[0] ?? {};
    expect(textBody).toMatchObject([{ part: '1', type: 'text/plain', content: null, truncated: false }]);
    expect(htmlBody).toMatchObject([{ part: '2', type: 'text/html', content: null, truncated: false }]);
    expect(truncated).toBe(false);
    await account.close();
  });

  it('fills an answer up to its bound, and says of the rest that it is cut', async () => {
    const big = message({ text: 'x'.repeat(900_000) });
    const { account, open, uids } = await folderOf(big, big, big, message({ text: 'small' }), big);
    const { received } = account.connection.bytes;
    const answer = await open({ maxTextBytes: 2 * 1024 * 1024 });
    expect(account.connection.bytes.received - received).toBeLessThan(8 * 1024 * 1024);
    expect(answer.messages.map(({ uid }) => uid)).toEqual(uids);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(4.1 * 1024 * 1024);
    expect(answer.messages.map(({ truncated }) => truncated)).toEqual([false, false, true, true, true]);
    expect(answer.messages[1]?.htmlBody?.[0]?.content).toHaveLength(900_000);
    expect(answer.messages[4]).toMatchObject({ truncated: true, attachments: [] });
    // What had no room is asked for alone.
    const [alone] = (await open({ uids: uids.slice(4), maxTextBytes: 2 * 1024 * 1024 })).messages;
    expect(alone?.truncated).toBe(false);
    expect(alone?.textBody?.[0]).toMatchObject({ truncated: false, content: expect.stringMatching(/^x{900000}$/) });
    expect((await open({ maxTextBytes: 1000 })).messages.map(({ truncated }) => truncated)).toEqual([
      true,
      true,
      true,
      false,
      true,
    ]);
    await account.close();
  });

  it('answers a single message whatever its texts cost as JSON', async () => {
    const { account, open } = await folderOf(single('8bit', `${'\x01'.repeat(500)}\r\n`.repeat(4000)));
    const answer = await open({ maxTextBytes: 2 * 1024 * 1024 });
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(4.1 * 1024 * 1024);
    const [opened] = answer.messages;
    expect(opened?.textBody?.[0]).toMatchObject({ truncated: true });
    expect(opened?.textBody?.[0]?.content?.length).toBeGreaterThan(300_000);
    await account.close();
  });

  it('fetches and sends one of the bodies where only that is asked for', async () => {
    const { account, open } = await folderOf(message({ text: 'plain', html: `<p>${'h'.repeat(100_000)}</p>` }));
    const { received } = account.connection.bytes;
    const [text] = (await open({ only: 'text' })).messages;
    expect(account.connection.bytes.received - received).toBeLessThan(3000);
    expect([textOf(text?.textBody ?? null), text?.htmlBody]).toEqual(['plain', null]);
    const [html] = (await open({ only: 'html' })).messages;
    expect(html?.textBody).toBeNull();
    expect(textOf(html?.htmlBody ?? null)).toMatch(/^<p>h{100000}<.p>$/);
    await account.close();
  });

  it('opens a message of thousands of texts, and says that it is cut', async () => {
    const part = ['--m', 'Content-Type: text/html', '', 'part'];
    const parts = Array.from({ length: 4000 }, () => part).flat();
    const { account, open } = await folderOf(
      lines('Subject: many', 'Content-Type: multipart/mixed; boundary=m', '', ...parts, '--m--'),
      message({ text: 'beside it' }),
    );
    const [many, other] = (await open()).messages;
    expect(many?.truncated).toBe(true);
    expect(many?.structure.children.length).toBeLessThan(1000);
    expect(many?.htmlBody?.filter(({ truncated }) => !truncated).map(({ content }) => content)).toEqual(
      Array(100).fill('part'),
    );
    expect(many?.htmlBody?.at(-1)).toMatchObject({ content: '', truncated: true });
    expect(textOf(other?.textBody ?? null)).toBe('beside it');
    await account.close();
  });

  it('tells all headers, decoded and in their order', async () => {
    const { account, open } = await folderOf(
      lines(
        'Received: from a',
        '\tby b',
        'Received: from c',
        'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
        'X-Raw: Grüße',
        `X-Long: ${'x'.repeat(100_000)}`,
        'X-Empty:',
        'no header line',
        '',
        'Body: not one of them',
      ),
    );
    const [opened] = (await open({ headers: true })).messages;
    expect(opened?.headers).toEqual([
      { name: 'Received', value: 'from a\tby b' },
      { name: 'Received', value: 'from c' },
      { name: 'Subject', value: 'Grüße' },
      { name: 'X-Raw', value: 'Grüße' },
      { name: 'X-Long', value: 'x'.repeat(100_000) },
      { name: 'X-Empty', value: '' },
    ]);
    expect((await open()).messages[0]?.headers).toBeNull();
    await account.close();
  });

  it('keeps the texts of a mixed message apart and takes one of each kind of alternatives', async () => {
    const { account, open } = await folderOf(
      lines(
        'Subject: s',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=m',
        '',
        '--m',
        'Content-Type: multipart/alternative; boundary=a',
        '',
        '--a',
        'Content-Type: text/plain',
        '',
        'plain',
        '--a',
        'Content-Type: text/html',
        '',
        '<img src="cid:pic@x">',
        '--a--',
        '--m',
        'Content-Type: image/png; name=pic.png',
        'Content-ID: <pic@x>',
        'Content-Disposition: attachment; filename=pic.png',
        '',
        'png',
        '--m',
        'Content-Type: text/plain',
        '',
        'footer',
        '--m',
        'Content-Type: text/plain; name=notes.txt',
        '',
        'notes',
        '--m--',
      ),
    );
    const [opened] = (await open()).messages;
    expect(opened?.textBody?.map(({ content }) => content)).toEqual(['plain', 'footer']);
    expect(opened?.htmlBody?.map(({ content }) => content)).toEqual(['<img src="cid:pic@x">', 'footer']);
    const sizes = (size: number) => ({ encodedSize: size, decodedSize: size });
    expect(opened?.attachments).toEqual([
      {
        part: '2',
        fileName: 'pic.png',
        type: 'image/png',
        role: 'inline',
        ...sizes(3),
        contentId: 'pic@x',
        message: null,
      },
      {
        part: '4',
        fileName: 'notes.txt',
        type: 'text/plain',
        role: 'attachment',
        ...sizes(5),
        contentId: null,
        message: null,
      },
    ]);
    await account.close();
  });

  it('opens fifty messages of one shape in three round trips at most', async () => {
    const { account, open, uids } = await folderOf(
      ...Array.from({ length: 50 }, () => message({ text: 'a', html: 'b' })),
    );
    const { sent } = account.connection.bytes;
    const answer = await open();
    expect(answer.messages.map(({ uid }) => uid)).toEqual(uids);
    // NOOP and two FETCHes, each naming fifty uids.
    expect(account.connection.bytes.sent - sent).toBeLessThan(700);
    await account.close();
  });

  it('opens messages that nest for ever', async () => {
    const deep = (depth: number): string =>
      depth === 0
        ? 'Content-Type: text/plain\r\n\r\nbottom\r\n'
        : `Content-Type: multipart/mixed; boundary="b${depth}"\r\n\r\n--b${depth}\r\n${deep(depth - 1)}--b${depth}--\r\n`;
    const { account, open } = await folderOf(`Subject: deep\r\n${deep(300)}`, message({ text: 'beside it' }));
    const answer = await open();
    expect(answer.messages.map(({ envelope }) => envelope.subject)).toEqual(['deep', 'Hello']);
    await account.close();
  });
});
