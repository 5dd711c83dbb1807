import { simpleParser } from 'mailparser';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contract, type Result } from '../../../src/protocol/contract.js';
import { Dovecot } from '../../support/dovecot.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { mailFixtures } from '../../support/mail-fixtures.js';
import { worldMails } from '../../support/mail-world.js';
import { get } from '../../support/plain-handlers.js';
import { differences } from './second-opinions.js';

/** What a reader of mail makes of a message; empty where there is nothing. */
interface Reading {
  subject: string;
  from: string;
  date: string;
  text: string;
  html: string;
  files: string;
}

type Opened = Result<'message.get'>['messages'][number];

const mails: Record<string, Buffer> = {
  ...Object.fromEntries(Object.entries(mailFixtures).map(([name, { raw }]) => [name, raw()])),
  ...Object.fromEntries(Object.entries(worldMails).map(([name, { raw }]) => [name, raw])),
};

let dovecot: Dovecot;
let account: Awaited<ReturnType<typeof directAccount>>;
const opened = new Map<string, Opened>();

beforeAll(async () => {
  dovecot = await Dovecot.start();
  const user = dovecot.user();
  const names = Object.keys(mails);
  const uids = await dovecot.deliver(user, 'INBOX', Object.values(mails));
  account = await directAccount(dovecot.server(), { user, password: dovecot.password });
  const { uidValidity } = await account.connection.select('INBOX');
  for (let from = 0; from < uids.length; from += 50) {
    const asked = { session: 'x', mailbox: 'INBOX', uidValidity, uids: uids.slice(from, from + 50), headers: false };
    const answer = await get(handlerContext('message.get', account), { ...asked, maxTextBytes: 500_000 });
    contract['message.get'].result.parse(answer);
    for (const message of answer.messages) opened.set(names[uids.indexOf(message.uid)] ?? '', message);
  }
});
afterAll(async () => {
  await account.close();
  await dovecot.stop();
});

const tidy = (text: string | false | null | undefined) => (text || '').replaceAll('\r\n', '\n').replace(/\n+$/, '');
const address = (one: { name?: string | undefined; address?: string | undefined } | undefined) =>
  one ? `${one.name ?? ''} <${one.address ?? ''}>` : '';

function ours({ envelope, textBody, htmlBody, attachments }: Opened): Reading {
  const of = (items: Opened['textBody'], wanted: string) =>
    tidy((items ?? []).flatMap(({ type, content }) => (type === wanted ? [tidy(content)] : [])).join('\n'));
  return {
    subject: envelope.subject,
    from: address(envelope.from[0]),
    date: envelope.date ?? '',
    text: of(textBody, 'text/plain'),
    html: of(htmlBody, 'text/html'),
    files: attachments.map(({ fileName, type }) => `${fileName ?? ''}:${type}`).join(' '),
  };
}

async function postalMimes(raw: Buffer): Promise<Reading> {
  const read = await PostalMime.parse(raw);
  return {
    subject: read.subject ?? '',
    from: address(read.from as { name: string; address?: string } | undefined),
    date: read.date && !Number.isNaN(Date.parse(read.date)) ? new Date(read.date).toISOString() : '',
    text: tidy(read.text),
    html: tidy(read.html),
    files: read.attachments.map(({ filename, mimeType }) => `${filename ?? ''}:${mimeType}`).join(' '),
  };
}

async function mailparsers(raw: Buffer): Promise<Reading> {
  const read = await simpleParser(raw, {
    skipTextToHtml: true,
    skipHtmlToText: true,
    skipImageLinks: true,
    skipTextLinks: true,
  });
  return {
    subject: read.subject ?? '',
    from: address(read.from?.value[0]),
    date: read.date?.toISOString() ?? '',
    text: tidy(read.text),
    html: tidy(read.html),
    files: read.attachments.map(({ filename, contentType }) => `${filename ?? ''}:${contentType}`).join(' '),
  };
}

it.each([
  ['postal-mime', postalMimes],
  ['mailparser', mailparsers],
] as const)('%s reads our messages as we do, but for what has a reason', async (library, read) => {
  const found: string[] = [];
  for (const [name, raw] of Object.entries(mails)) {
    const message = opened.get(name);
    if (!message) throw new Error(`${name} was not opened`);
    const [mine, theirs] = [ours(message), await read(raw)];
    for (const field of Object.keys(mine) as (keyof Reading)[]) {
      if (mine[field] !== theirs[field]) found.push(`${name} ${field}`);
    }
  }
  expect(found.sort()).toEqual(Object.keys(differences[library]).sort());
});
