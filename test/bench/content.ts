import type { BulkMessage } from '../support/bulk-deliver.js';
import { type Attachment, deterministicBytes, message } from '../support/mail.js';
import { Dice } from './statistics.js';

/** Messages of the INBOX that is measured. */
export const INBOX_MESSAGES = 2000;
/** The message with the large attachment: in the middle, so that no index page shows it. */
export const ATTACHMENT_UID = 1001;
export const ATTACHMENT_PART = '2';
export const ATTACHMENT_BYTES = 2 * 1024 * 1024;
/** A sender of about one message in 13. */
export const SEARCHED = 'carla.mendez@studio-norte.example';
/** Each fifth message has text and html of some 20 KB in all. */
const LONG_EVERY = 5;
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2024, 0, 8, 7, 30);

const people = [
  'Anna Lindqvist <anna@example.com>',
  'Bo Sørensen <bo@harbour-books.example>',
  `Carla Méndez <${SEARCHED}>`,
  'Dilip Rao <dilip@example.com>',
  '森 絵美 <emi@mori-paper.example>',
  'Frank Osei <frank.osei@example.com>',
  'Greta Weiß <greta@weiss-druck.example>',
  'Henk de Vries <henk@kade11.example>',
  'Ирина Соколова <irina@sokolova.example>',
  'Jo Park <jo@example.com>',
  'City Library <no-reply@library.example>',
  'Nordrail <tickets@nordrail.example>',
  'newsletter@paper-and-ink.example',
] as const;

const subjects = [
  'Minutes of Tuesday',
  'Catalogue, final proof',
  'Fotografías de la página 31',
  'Перевод: вторая глава',
  '見本紙について',
  'Your ticket to Göteborg, 27 November',
  'Quotation 2211 for 1,200 copies',
  'Are you coming on Saturday?',
  'Shelf space for the spring titles, and what the window would cost us until May',
] as const;

const words = [
  ...['the', 'paper', 'of', 'a', 'print', 'run', 'and', 'proof', 'to', 'shelf', 'in', 'spring', 'that', 'we', 'will'],
  ...['see', 'before', 'Thursday', 'noon', 'für', 'el', 'título', 'with', 'two', 'hundred', 'copies', 'more', 'please'],
] as [string, ...string[]];

/** The message at a place of the INBOX, from 0 on: the same bytes in each run. */
export function benchMessage(index: number): BulkMessage {
  const dice = new Dice(index);
  const date = new Date(FIRST_DAY + (index * DAY_MS) / 8);
  // Some of ten continue the thread of ten before them.
  const parent = index >= 10 && dice.roll(10) < 4 ? index - 10 : undefined;
  const subject = dice.pick(subjects);
  const long = index % LONG_EVERY === 0;
  const text = prose(dice, long ? 6500 : 400 + dice.roll(2000));
  const small = {
    filename: `Übersicht ${index}.pdf`,
    contentType: 'application/pdf',
    content: deterministicBytes(3000),
  };
  const html = `<html><body><p>${text.replaceAll('\n\n', '</p>\n<p>')}</p></body></html>`;
  const raw = message({
    from: dice.pick(people),
    to: several(dice, 1 + dice.roll(3)),
    ...(dice.roll(4) === 0 ? { cc: several(dice, 1 + dice.roll(4)) } : {}),
    subject: parent === undefined ? subject : `Re: ${subject}`,
    date,
    messageId: messageId(index),
    ...(parent === undefined ? {} : { inReplyTo: messageId(parent), references: references(parent) }),
    headers: {
      Received: `from mx${dice.roll(9)}.example.com by mail.example.com with ESMTPS id ${index}; ${date.toUTCString()}`,
      'List-Id': '<bench.example.com>',
    },
    text,
    ...(long || dice.roll(3) > 0 ? { html: long ? html : html.slice(0, 3000) } : {}),
    ...(index === ATTACHMENT_UID - 1 ? { attachments: [large()] } : dice.roll(8) === 0 ? { attachments: [small] } : {}),
  });
  return { raw: sameBoundaries(raw, index), flags: flags(dice, index), date };
}

/** Uids of the messages of 20 KB, newest first. */
export function longUids(): number[] {
  const uids = Array.from({ length: INBOX_MESSAGES / LONG_EVERY }, (_, at) => at * LONG_EVERY + 1);
  return uids.filter((uid) => uid !== ATTACHMENT_UID).reverse();
}

function large(): Attachment {
  const content = deterministicBytes(ATTACHMENT_BYTES);
  return { filename: 'catalogue.pdf', contentType: 'application/pdf', content };
}

function prose(dice: Dice, length: number): string {
  let text = '';
  while (text.length < length) text += `${dice.pick(words)}${dice.roll(12) === 0 ? '.\n\n' : ' '}`;
  return text.replaceAll(/(.{60,72}) /g, '$1\n');
}

function several(dice: Dice, count: number): string {
  return Array.from({ length: count }, () => `reader${dice.roll(500)}@example.com`).join(', ');
}

function messageId(index: number): string {
  return `<bench.${index}@mail.example.com>`;
}

function references(parent: number): string[] {
  return [parent - 20, parent - 10, parent].filter((one) => one >= 0).map(messageId);
}

function flags(dice: Dice, index: number): string[] {
  const seen = index < INBOX_MESSAGES - 30 || dice.roll(2) === 0 ? ['\\Seen'] : [];
  const answered = dice.roll(5) === 0 ? ['\\Answered'] : [];
  return [...seen, ...answered, ...(dice.roll(20) === 0 ? ['\\Flagged'] : [])];
}

/** The boundaries of a composed message are random, of a length that never changes. */
function sameBoundaries(raw: Buffer, index: number): Buffer {
  const number = index.toString(16).padStart(16, '0');
  return Buffer.from(raw.toString('latin1').replace(/(=_[a-z]+_)[0-9a-f]{16}/g, `$1${number}`), 'latin1');
}
