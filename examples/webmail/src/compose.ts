import { randomUUID } from 'node:crypto';
import { type Result, textOf } from 'imap-broker/client';
import { dated } from './words.js';

type Message = Result<'message.get'>['messages'][number];
type Address = Message['envelope']['from'][number];

/** A message as the form has it. */
export interface Draft {
  to: string;
  cc: string;
  subject: string;
  text: string;
  /** Message ids: of the message that this one answers, and of those before it. */
  inReplyTo: string;
  references: string;
  /** Chosen with the form: a form that is sent twice stores one message. */
  key: string;
}

/** What is wrong with a draft, in words for its writer. */
export class DraftError extends Error {}

export function emptyDraft(): Draft {
  return { to: '', cc: '', subject: '', text: '', inReplyTo: '', references: '', key: randomUUID() };
}

/** An answer to a message. @param own the address of the writer, to whom no answer goes */
export function replyTo(message: Message, own: string, all: boolean, timeZone: string | undefined): Draft {
  const { from, replyTo, to, cc, date, subject, messageId } = message.envelope;
  const others = (list: Address[]) => list.filter(({ address }) => address !== '' && address !== own).map(written);
  const sender = replyTo.length > 0 ? replyTo : from;
  const quoted = textOf(message).trimEnd().replace(/^/gm, '> ');
  const references = message.headers?.find(({ name }) => name === 'References')?.value ?? '';
  return {
    to: others(all ? [...sender, ...to] : sender).join(', '),
    cc: all ? others(cc).join(', ') : '',
    subject: /^re:/i.test(subject) ? subject : `Re: ${subject}`,
    text: `\n\nOn ${dated(date ?? message.internalDate, timeZone)}, ${from[0]?.name || from[0]?.address} wrote:\n${quoted}\n`,
    inReplyTo: messageId ?? '',
    references: `${references} ${messageId ?? ''}`.trim(),
    key: randomUUID(),
  };
}

/**
 * The message as it travels (RFC 5322), in ASCII alone.
 * @throws DraftError when an address cannot be used
 */
export function rawMessage(draft: Draft, from: string, date = new Date()): string {
  if (!/^[0-9a-f-]{36}$/.test(draft.key)) throw new DraftError('This form is not one of this webmail.');
  const [to, cc] = [addressList(draft.to), addressList(draft.cc)];
  if (to.length === 0) throw new DraftError('Please fill in an address to send to.');
  const domain = from.split('@')[1] ?? 'localhost';
  const headers = [
    ['Date', date.toUTCString().replace('GMT', '+0000')],
    ['From', from],
    ['To', to.join(',\r\n ')],
    ['Cc', cc.join(',\r\n ')],
    ['Subject', encodedWords(oneLine(draft.subject))],
    // The key makes the same form the same message, which idempotencyKey compares.
    ['Message-ID', `<${draft.key}@${domain}>`],
    ['In-Reply-To', messageIds(draft.inReplyTo).slice(-1).join('')],
    ['References', messageIds(draft.references).slice(-20).join('\r\n ')],
    ['MIME-Version', '1.0'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Transfer-Encoding', 'base64'],
  ];
  const lines = headers.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}\r\n`);
  const body = Buffer.from(draft.text.replace(/\r\n|\r|\n/g, '\r\n')).toString('base64');
  return `${lines.join('')}\r\n${body.replace(/.{1,76}/g, '$&\r\n')}`;
}

/** Addresses that are separated by commas, each `name@host` or `Name <name@host>`, ready for a header. */
function addressList(text: string): string[] {
  const pieces = oneLine(text).match(/(?:"(?:\\.|[^"\\])*"|[^",])+/g) ?? [];
  return pieces
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map(checked);
}

function checked(text: string): string {
  const [, name = '', angled] = /^(.*?)\s*<([^<>]*)>$/.exec(text) ?? [];
  const address = angled ?? text;
  if (!/^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/.test(address) || !/^[!-~]+$/.test(address)) {
    throw new DraftError(`“${text}” is not an address that a message can go to.`);
  }
  return angled === undefined ? address : `${phrase(name)} <${address}>`.trimStart();
}

/** A name before an address: in quotes where it has what means something there. */
function phrase(name: string): string {
  const plain = name.replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1');
  if (/[^ -~]/.test(plain)) return encodedWords(plain);
  return /^[\w !#$%&'*+\-/=?^`{|}~]*$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}

function written({ name, address }: Address): string {
  if (name === '') return address;
  return /["\\,<>]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}" <${address}>` : `${name} <${address}>`;
}

/** Text of a header: encoded words of at most 75 characters where it is not ASCII (RFC 2047). */
function encodedWords(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  const words = text.match(/.{1,11}/gu) ?? [];
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

/** Nothing that is typed into a field may begin a header of its own. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}

function messageIds(text: string): string[] {
  return text.match(/<[!-;=?-~]{1,500}>/g) ?? [];
}
