import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendPart as part } from '../../../src/methods/message/part.js';
import { contract, type Result } from '../../../src/protocol/contract.js';
import type { Address, BodyItem } from '../../../src/protocol/models.js';
import { Dovecot } from '../../support/dovecot.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { worldMails } from '../../support/mail-world.js';
import { get, list } from '../../support/plain-handlers.js';

type Opened = Result<'message.get'>['messages'][number];
type Name = keyof typeof worldMails;

const names = Object.keys(worldMails) as Name[];
const opened = new Map<Name, Opened>();
let dovecot: Dovecot;
let account: Awaited<ReturnType<typeof directAccount>>;
let uidValidity = 0;

beforeAll(async () => {
  dovecot = await Dovecot.start();
  const user = dovecot.user();
  const mails = names.map((name) => worldMails[name].raw);
  const uids = await dovecot.deliver(user, 'INBOX', mails);
  account = await directAccount(dovecot.server(), { user, password: dovecot.password });
  uidValidity = (await account.connection.select('INBOX')).uidValidity;
  const answer = await get(handlerContext('message.get', account), {
    session: 'x',
    mailbox: 'INBOX',
    uidValidity,
    uids,
    headers: true,
    maxTextBytes: 1000,
  });
  contract['message.get'].result.parse(answer);
  for (const [index, name] of names.entries()) {
    const message = answer.messages[index];
    if (message) opened.set(name, message);
  }
});
afterAll(async () => {
  await account.close();
  await dovecot.stop();
});

const written = (addresses: Address[] = []) => addresses.map(({ name, address }) => `${name} <${address}>`).join(', ');
const texts = (body: BodyItem[] | null | undefined) => body?.map(({ type, content }) => content?.trimEnd() ?? type);

it.each(names)('a reader sees what is meant by %s', (name) => {
  const { envelope, textBody, htmlBody, attachments } = opened.get(name) ?? {};
  expect({
    subject: envelope?.subject,
    from: written(envelope?.from),
    to: written(envelope?.to),
    date: envelope?.date,
    text: texts(textBody),
    html: texts(htmlBody),
    files: Object.fromEntries((attachments ?? []).map(({ fileName, part, role }) => [fileName ?? part, role])),
  }).toMatchObject({ ...worldMails[name].shown });
});

it('has the same subject in its headers as in its envelope', () => {
  for (const [name, { headers, envelope }] of opened) {
    const line = headers?.find((one) => one.name === 'Subject');
    expect(line?.value ?? '', name).toBe(envelope.subject);
  }
});

it('is listed with the envelope, and the paper clip, that it is opened with', async () => {
  const page = await list(handlerContext('message.list', account), {
    session: 'x',
    mailbox: 'INBOX',
    limit: 100,
    fields: ['envelope', 'hasAttachment'],
  });
  for (const [name, { uid, envelope, attachments }] of opened) {
    const row = page.messages.find((one) => one.uid === uid);
    expect(row?.envelope, name).toEqual(envelope);
    // What the html names is inline, which only those know who read the html.
    if (name.startsWith('contentId')) continue;
    expect(row?.hasAttachment, name).toBe(attachments.some(({ role }) => role === 'attachment'));
  }
});

it('has its uuencoded file decoded', async () => {
  const { uid = 0 } = opened.get('uuencoded') ?? {};
  const asked = { session: 'x', mailbox: 'INBOX', uidValidity, uid, part: '2', offset: 0 };
  const { data } = await part(handlerContext('message.part', account), { ...asked, transfer: 'inline' });
  expect(Buffer.from(data ?? '', 'base64').toString()).toBe('Cat');
});
