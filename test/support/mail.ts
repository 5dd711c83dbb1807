import { randomBytes } from 'node:crypto';

export interface Attachment {
  filename?: string;
  /** Default `application/octet-stream`. */
  contentType?: string;
  content: Buffer | string;
  /** Shown within the HTML that names it as `cid:`; the message becomes multipart/related. */
  contentId?: string;
}

export interface Mail {
  /** `Name <address>`; `null` leaves the header out. */
  from?: string | null;
  to?: string;
  cc?: string;
  subject?: string;
  /** A string is taken as it is. */
  date?: Date | string | null;
  /** With its angle brackets. */
  messageId?: string;
  inReplyTo?: string;
  references?: string[];
  /** More headers, taken as they are. */
  headers?: Record<string, string>;
  text?: string;
  html?: string;
  attachments?: Attachment[];
}

/** A body part: its header lines, and its content already encoded. */
interface Part {
  headers: string[];
  body: string;
}

/** Composes a message by the book (RFC 5322, MIME): CRLF, header in ASCII, text as quoted UTF-8 in base64 where needed. */
export function message(mail: Mail = {}): Buffer {
  const { from = 'Alice <alice@example.com>', to = 'bob@example.com', subject = 'Hello' } = mail;
  const { date = new Date('2024-05-06T07:08:09Z'), messageId = `<${randomBytes(8).toString('hex')}@example.com>` } =
    mail;
  const header: Array<[string, string | undefined]> = [
    ['From', from === null ? undefined : address(from)],
    ['To', address(to)],
    ['Cc', mail.cc === undefined ? undefined : address(mail.cc)],
    ['Subject', words(subject)],
    ['Date', date === null ? undefined : rfcDate(date)],
    ['Message-ID', messageId],
    ['In-Reply-To', mail.inReplyTo],
    ['References', mail.references?.join('\r\n ')],
    ...Object.entries(mail.headers ?? {}),
    ['MIME-Version', '1.0'],
  ];
  const root = compose(mail);
  const lines = header.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from([...lines, ...root.headers, '', root.body].join('\r\n'), 'latin1');
}

/** Joins lines with CRLF, each ended by one. Strings become UTF-8; a Buffer stands for a line in whatever octets. */
export function lines(...parts: Array<string | Buffer>): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => [Buffer.isBuffer(part) ? part : Buffer.from(part), Buffer.from('\r\n')]),
  );
}

/** Base64 in lines of 76. */
export function base64Lines(content: Buffer | string): string {
  const encoded = Buffer.from(content).toString('base64');
  return (encoded.match(/.{1,76}/g) ?? []).join('\r\n');
}

/** Octets that look random and are the same every time. */
export function deterministicBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 0x9e3779b9;
  for (let index = 0; index < size; index += 1) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}

function compose(mail: Mail): Part {
  const texts: Part[] = [];
  if (mail.text !== undefined || mail.html === undefined) texts.push(textPart('plain', mail.text ?? ''));
  if (mail.html !== undefined) texts.push(textPart('html', mail.html));
  const inline = (mail.attachments ?? []).filter((attachment) => attachment.contentId !== undefined);
  const attached = (mail.attachments ?? []).filter((attachment) => attachment.contentId === undefined);
  const body = multipart('alternative', texts);
  const related = multipart('related', [body, ...inline.map(attachmentPart)]);
  return multipart('mixed', [related, ...attached.map(attachmentPart)]);
}

/** A single part needs no multipart around it. */
function multipart(subtype: string, parts: Part[]): Part {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const boundary = `=_${subtype}_${randomBytes(8).toString('hex')}`;
  const body = parts.map((part) => [`--${boundary}`, ...part.headers, '', part.body, ''].join('\r\n')).join('');
  return {
    headers: [`Content-Type: multipart/${subtype}; boundary="${boundary}"`],
    body: `${body}--${boundary}--\r\n`,
  };
}

function textPart(subtype: string, text: string): Part {
  const crlf = text.replace(/\r?\n/g, '\r\n');
  const plain = isAscii(crlf) && crlf.split('\r\n').every((line) => line.length <= 998);
  return {
    headers: [
      `Content-Type: text/${subtype}; charset=utf-8`,
      `Content-Transfer-Encoding: ${plain ? '7bit' : 'base64'}`,
    ],
    body: plain ? crlf : base64Lines(crlf),
  };
}

function attachmentPart({ filename, contentType = 'application/octet-stream', content, contentId }: Attachment): Part {
  const name = filename === undefined ? '' : `;\r\n ${parameter('filename', filename)}`;
  return {
    headers: [
      `Content-Type: ${contentType}`,
      'Content-Transfer-Encoding: base64',
      `Content-Disposition: ${contentId === undefined ? 'attachment' : 'inline'}${name}`,
      ...(contentId === undefined ? [] : [`Content-ID: <${contentId}>`]),
    ],
    body: base64Lines(content),
  };
}

/** RFC 2231, only where ASCII does not do. */
function parameter(name: string, value: string): string {
  if (isAscii(value)) return `${name}="${value.replace(/["\\]/g, '\\$&')}"`;
  // Octets that RFC 2231 lets stand for themselves; all others as hex.
  const encoded = Buffer.from(value).reduce((sum, octet) => {
    const character = String.fromCharCode(octet);
    return sum + (/[\w.-]/.test(character) ? character : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`);
  }, '');
  return `${name}*=UTF-8''${encoded}`;
}

function address(text: string): string {
  const [, name = '', mailbox = text] = /^(.*?) ?(<[^<>]*>)$/s.exec(text) ?? [];
  return name ? `${words(name)} ${mailbox}` : mailbox;
}

/** RFC 2047 encoded words, never splitting a character. */
function words(text: string): string {
  if (isAscii(text)) return text;
  const pieces = [''];
  for (const character of text) {
    const last = pieces.length - 1;
    if (Buffer.byteLength((pieces[last] ?? '') + character) > 42) pieces.push(character);
    else pieces[last] += character;
  }
  return pieces.map((piece) => `=?UTF-8?B?${Buffer.from(piece).toString('base64')}?=`).join('\r\n ');
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

function rfcDate(date: Date | string): string {
  return typeof date === 'string' ? date : date.toUTCString().replace('GMT', '+0000');
}
