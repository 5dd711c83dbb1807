import iconv from 'iconv-lite';
import { membersOf, quote, readTokens, type Token, textOf } from './gmail-tokens.js';

/** A message of Gmail: one, in however many folders it is seen. */
export interface GmailMail {
  id: bigint;
  thread: bigint;
  /** Of Gmail, and of the user: `\Inbox`, `Work`. `\Trash` and `\Spam` stand for the folders of that name. */
  labels: Set<string>;
  flags: Set<string>;
  date: Date;
  /** Headers, blank line and text, with CRLF. */
  raw: string;
  modseq: number;
  /** Its body cannot be fetched: the server leaves it out and says NO to the whole FETCH. */
  unfetchable: boolean;
}

/** A folder name or label as the wire has it: modified UTF-7. */
export const encodeName = (name: string): string =>
  /^[\x20-\x25\x27-\x7e]*$/.test(name) ? name : iconv.encode(name, 'utf-7-imap').toString('latin1');

/** The name that the wire's stands for. */
export const decodeName = (name: string): string => iconv.decode(Buffer.from(name, 'latin1'), 'utf-7-imap');

/** The items of a FETCH: each as it is written, with its section and its range. */
export function itemsOf(token: Token | undefined): string[] {
  return membersOf(token).map(textOf);
}

/** The value of a header, empty where there is none. */
export function headerOf({ raw }: GmailMail, name: string): string {
  const header = raw.slice(0, raw.indexOf('\r\n\r\n') + 2);
  return new RegExp(`^${name}:[ \t]*(.*)\r$`, 'im').exec(header)?.[1] ?? '';
}

export const bodyOf = ({ raw }: GmailMail): string => raw.slice(raw.indexOf('\r\n\r\n') + 4);

/** The value that answers an item, with the item's name before it. */
export function answerItem(mail: GmailMail, uid: number, item: string, ownLabel: string | undefined): string {
  const name = item.toUpperCase();
  const labels = [...mail.labels].filter((label) => label !== ownLabel && label !== '\\Trash' && label !== '\\Spam');
  const plain: Record<string, () => string> = {
    UID: () => String(uid),
    FLAGS: () => `(${[...mail.flags].join(' ')})`,
    MODSEQ: () => `(${mail.modseq})`,
    INTERNALDATE: () => quote(imapDate(mail.date)),
    'RFC822.SIZE': () => String(Buffer.byteLength(mail.raw)),
    ENVELOPE: () => envelopeOf(mail),
    BODYSTRUCTURE: () => structureOf(mail),
    'X-GM-MSGID': () => String(mail.id),
    'X-GM-THRID': () => String(mail.thread),
    'X-GM-LABELS': () => `(${labels.map((label) => quote(encodeName(label))).join(' ')})`,
  };
  const value = plain[name];
  if (value) return `${name} ${value()}`;
  const [, section = '', start, length] = /^BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?$/i.exec(item) ?? [];
  const whole = Buffer.from(sectionOf(mail, section), 'utf8');
  const from = Number(start ?? 0);
  const octets = start === undefined ? whole : whole.subarray(from, from + Number(length));
  const origin = start === undefined ? '' : `<${start}>`;
  return `BODY[${section.toUpperCase()}]${origin} {${octets.length}}\r\n${octets.toString('utf8')}`;
}

function sectionOf(mail: GmailMail, section: string): string {
  const header = mail.raw.slice(0, mail.raw.indexOf('\r\n\r\n') + 4);
  const [, names] = /^HEADER\.FIELDS \((.*)\)$/i.exec(section) ?? [];
  if (names !== undefined) {
    const wanted = new Set(readTokens(names).map((name) => textOf(name).toLowerCase()));
    const lines = header.split('\r\n').filter((line) => wanted.has(line.split(':')[0]?.toLowerCase() ?? ''));
    return `${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  }
  const sections: Record<string, string> = { '': mail.raw, HEADER: header, TEXT: bodyOf(mail), '1': bodyOf(mail) };
  return sections[section.toUpperCase()] ?? (section.toUpperCase() === '1.MIME' ? header : '');
}

function envelopeOf(mail: GmailMail): string {
  const text = (name: string) => {
    const value = headerOf(mail, name);
    return value === '' ? 'NIL' : quote(value);
  };
  const people = (name: string) => {
    const [, display, user, host] = /^(?:"?(.*?)"? *<)?([^@<>]+)@([^>]+)>?$/.exec(headerOf(mail, name)) ?? [];
    if (user === undefined) return 'NIL';
    return `((${display ? quote(display) : 'NIL'} NIL ${quote(user)} ${quote(host ?? '')}))`;
  };
  const from = people('From');
  return `(${text('Date')} ${text('Subject')} ${from} ${from} ${from} ${people('To')} ${people('Cc')} NIL ${text('In-Reply-To')} ${text('Message-ID')})`;
}

function structureOf(mail: GmailMail): string {
  const [, type = 'text', subtype = 'plain'] = /^(\w+)\/(\w+)/.exec(headerOf(mail, 'Content-Type')) ?? [];
  const body = bodyOf(mail);
  const lines = body.split('\r\n').length - 1;
  return `("${type.toUpperCase()}" "${subtype.toUpperCase()}" ("CHARSET" "UTF-8") NIL NIL "8BIT" ${Buffer.byteLength(body)} ${lines} NIL NIL NIL)`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function imapDate(date: Date): string {
  const [day = '', time = ''] = date.toISOString().split(/[T.]/);
  const [year, month, number] = day.split('-');
  return `${number}-${months[Number(month) - 1]}-${year} ${time} +0000`;
}

/** The day that a search names, such as `1-Mar-2024`, as `2024-03-01`. */
export function isoDay(text: string): string {
  const [day = '', month = '', year = ''] = text.split('-');
  return `${year}-${String(months.indexOf(month) + 1).padStart(2, '0')}-${day.padStart(2, '0')}`;
}
