import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendPart as part } from '../../../src/methods/message/part.js';
import { messageReadHandlers } from '../../../src/methods/message-read.js';
import { contract } from '../../../src/protocol/contract.js';
import type { BodyItem, Structure } from '../../../src/protocol/models.js';
import { Dovecot } from '../../support/dovecot.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { type MailFixtureName, mailFixtures } from '../../support/mail-fixtures.js';
import { get, list } from '../../support/plain-handlers.js';

const { 'message.source': source } = messageReadHandlers;

type Account = Awaited<ReturnType<typeof directAccount>>;

const names = Object.keys(mailFixtures) as MailFixtureName[];
let dovecot: Dovecot;
let account: Account;
const uidOf = new Map<string, number>();
const rawOf = new Map<string, Buffer>();
let uidValidity = 0;

const common = { session: 'x', mailbox: 'INBOX' };

beforeAll(async () => {
  dovecot = await Dovecot.start();
  const user = dovecot.user();
  for (const name of names) rawOf.set(name, mailFixtures[name].raw());
  const uids = await dovecot.deliver(user, 'INBOX', [...rawOf.values()]);
  for (const [index, name] of names.entries()) uidOf.set(name, uids[index] ?? 0);
  account = await directAccount(dovecot.server(), { user, password: dovecot.password });
  uidValidity = (await account.connection.select('INBOX')).uidValidity;
});
afterAll(async () => {
  await account.close();
  await dovecot.stop();
});

async function opened(name: MailFixtureName, headers = false) {
  const uids = [uidOf.get(name) ?? 0];
  const answer = await get(handlerContext('message.get', account), {
    ...common,
    uidValidity,
    uids,
    headers,
    maxTextBytes: 512 * 1024,
  });
  contract['message.get'].result.parse(answer);
  const [message] = answer.messages;
  if (!message) throw new Error(`${name} was not found`);
  return message;
}

function contentOf(body: BodyItem[] | null, wanted: string): string {
  return (body ?? []).flatMap(({ type, content }) => (type === wanted ? [content] : [])).join('\n');
}

async function bytesOf(uid: number, number: string): Promise<Buffer> {
  const context = handlerContext('message.part', account);
  await part(context, { ...common, uidValidity, uid, part: number, transfer: 'stream', offset: 0 });
  return context.outgoing.finished;
}

/** Shows the true text, or, where the message does not say enough, U+FFFD in place of what is not ASCII. */
function expectText(shown: string, text: string | null | undefined, lossy = false): void {
  if (text === undefined) return;
  if (!lossy || !text) {
    expect(shown).toBe(text ?? '');
    return;
  }
  const pattern = [...text].map((character) => {
    const plain = character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return character > '\u007f' ? `(?:${plain}|\\uFFFD+)` : plain;
  });
  expect(shown).toMatch(new RegExp(`^${pattern.join('')}$`, 'su'));
}

describe('a reader sees what the message means', () => {
  it.each(names)('%s', async (name) => {
    const { expected } = mailFixtures[name];
    const message = await opened(name);
    const { envelope } = message;
    const [from] = envelope.from;
    const { lossy } = expected;
    expectText(envelope.subject, expected.subject, lossy);
    expectText(from?.name ?? '', expected.fromName, lossy);
    expectText(from?.address ?? '', expected.fromAddress);
    expectText(
      contentOf(message.textBody, 'text/plain').replace(/\n+$/, ''),
      expected.unflowed ?? expected.text,
      lossy,
    );
    if (expected.date !== undefined) expect(envelope.date).toBe(expected.date?.toISOString() ?? null);
    if (expected.html !== undefined)
      expect(contentOf(message.htmlBody, 'text/html').replace(/\n+$/, '')).toBe(expected.html);
    if (expected.attachments === undefined) return;
    expect(message.attachments.map(({ fileName, type, contentId }) => ({ fileName, type, contentId }))).toEqual(
      expected.attachments.map(({ filename, contentType, contentId = null }) => ({
        fileName: filename,
        type: contentType,
        contentId,
      })),
    );
    for (const [index, { size }] of expected.attachments.entries()) {
      const number = message.attachments[index]?.part ?? '';
      if (size !== undefined) expect(await bytesOf(message.uid, number)).toHaveLength(size);
    }
  });

  it('reads all of them in one request as in one each', async () => {
    const params = { ...common, uidValidity, headers: true, maxTextBytes: 512 * 1024 };
    const uids = [...uidOf.values()];
    expect(uids.length).toBeLessThanOrEqual(50);
    const together = await get(handlerContext('message.get', account), { ...params, uids });
    expect(together.messages.map(({ uid }) => uid)).toEqual(uids);
    for (const [index, uid] of uids.entries()) {
      const alone = await get(handlerContext('message.get', account), { ...params, uids: [uid] });
      expect(together.messages[index]).toEqual(alone.messages[0]);
    }
  });

  it('lists all of them with the envelopes that it opens them with', async () => {
    const page = await list(handlerContext('message.list', account), {
      ...common,
      limit: 500,
      fields: ['envelope', 'flags', 'size', 'internalDate', 'hasAttachment', 'preview'],
    });
    contract['message.list'].result.parse(page);
    expect(page.messages.map(({ uid }) => uid)).toEqual([...uidOf.values()].reverse());
    for (const name of names) {
      const row = page.messages.find(({ uid }) => uid === uidOf.get(name));
      const message = await opened(name);
      expect(row).toMatchObject({
        envelope: message.envelope,
        size: message.size,
        internalDate: message.internalDate,
        flags: [],
      });
      expect(row?.hasAttachment).toBe(message.attachments.some(({ role }) => role === 'attachment'));
    }
  });

  it('hands out every source as it was delivered', async () => {
    for (const name of names) {
      const context = handlerContext('message.source', account);
      const uid = uidOf.get(name) ?? 0;
      await source(context, { ...common, uidValidity, uid, transfer: 'stream', offset: 0 });
      expect((await context.outgoing.finished).toString('latin1')).toBe(rawOf.get(name)?.toString('latin1'));
    }
  });

  it('sets no flag', async () => {
    const page = await list(handlerContext('message.list', account), { ...common, limit: 500, fields: ['flags'] });
    expect(page.messages.flatMap(({ flags }) => flags)).toEqual([]);
  });
});

describe('parts of nested messages', () => {
  it('finds an attachment within a forwarded message, and the message itself', async () => {
    const message = await opened('forwarded');
    const outer = leaves(message.structure).find(({ type }) => type === 'message/rfc822');
    const inner = leaves(message.structure).find(({ fileName }) => fileName === 'table.csv');
    expect(outer?.part).toBe('2');
    expect(inner?.part).toBe('2.2');
    expect((await bytesOf(message.uid, '2.2')).toString()).toBe('1,2');
    expect((await bytesOf(message.uid, '2.1')).toString()).toBe('Inside.');
    expect((await bytesOf(message.uid, '2')).toString()).toMatch(/^From: Carol <carol@example.com>\r\nSubject: Inner/);
  });

  it('numbers the levels of a deep message', async () => {
    const { structure, uid } = await opened('tenDeep');
    const bottom = leaves(structure).at(-1);
    expect(bottom?.part).toBe(Array(10).fill('1').join('.'));
    expect((await bytesOf(uid, bottom?.part ?? '')).toString().trim()).toBe('At the bottom');
  });

  it('answers NOT_FOUND for parts that are none', async () => {
    const uid = uidOf.get('forwarded') ?? 0;
    for (const number of ['3', '1.1', '2.3', '9.9.9']) {
      await expect(bytesOf(uid, number)).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'part' });
    }
    await expect(bytesOf(4_000_000, '1')).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'uid' });
  });
});

function leaves(node: Structure): Structure[] {
  return [node, ...node.children.flatMap(leaves)].filter(({ type }) => !type.startsWith('multipart/'));
}
