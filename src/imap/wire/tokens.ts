/** One token of a response: a value, with the bracketed section that may follow it. */
export interface ImapToken {
  type: string;
  value?: string | Buffer | number | null | undefined;
  section?: ImapAttribute[] | undefined;
  partial?: number[] | undefined;
}

/** An element of a response: a token, a list in parentheses, or null for NIL. */
export type ImapAttribute = ImapToken | ImapAttribute[] | null;

/** A folder name in Unicode, to be sent in the encoding of the connection. See {@link mailboxName}. */
export interface MailboxArgument {
  mailbox: string;
}

/** An argument of a command: a plain string is sent as a quoted string. */
export type ImapArgument = ImapToken | MailboxArgument | string | number | ImapArgument[];

/** An atom, sent as it is: keywords such as `RETURN`, flags, numbers of 64 bits. */
export const atom = (value: string): ImapToken => ({ type: 'ATOM', value });

/** A set of uids or sequence numbers, for instance `1:5,9`. */
export const sequence = (value: string): ImapToken => ({ type: 'SEQUENCE', value });

/** A string of any octets, sent as a literal. */
export const literal = (value: string | Buffer): ImapToken => ({ type: 'LITERAL', value });

/** A folder name in Unicode, always quoted: as atoms, some names would have another meaning. */
export const mailboxName = (name: string): MailboxArgument => ({ mailbox: name });

/** The text of a token; empty for NIL and lists. */
export function textOf(attribute: ImapAttribute | undefined): string {
  if (!attribute || Array.isArray(attribute)) return '';
  return attribute.value == null ? '' : attribute.value.toString();
}

/** The number of a token; undefined if the token is no number, or one that a JSON number cannot hold exactly. */
export function numberOf(attribute: ImapAttribute | undefined): number | undefined {
  return toNumber(textOf(attribute));
}

/** The number that a string of digits stands for; undefined for any other string, and above 2^53 - 1. */
export function toNumber(text: string): number | undefined {
  if (text.length > 16 || !/^\d+$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A uid, sequence number or UIDVALIDITY: 1 to 4,294,967,295 (nz-number, RFC 9051 section 9). */
export function nzNumberOf(attribute: ImapAttribute | undefined): number | undefined {
  const number = numberOf(attribute);
  return number !== undefined && isNzNumber(number) ? number : undefined;
}

export function isNzNumber(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 4_294_967_295;
}

/** A mod-sequence of up to 63 bits (RFC 7162 section 7); undefined for anything else. */
export function modseqOf(attribute: ImapAttribute | undefined): bigint | undefined {
  const text = textOf(attribute);
  return /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

/** The members of a list in parentheses; none for anything else. */
export function listOf(attribute: ImapAttribute | undefined): ImapAttribute[] {
  return Array.isArray(attribute) ? attribute : [];
}

/** The octets of a string or literal; undefined for NIL and lists. */
export function bytesOf(attribute: ImapAttribute | undefined): Buffer | undefined {
  if (!attribute || Array.isArray(attribute) || attribute.value == null) return undefined;
  return Buffer.isBuffer(attribute.value) ? attribute.value : Buffer.from(String(attribute.value));
}
