/** One token of a response: a value, with the bracketed section that may follow it. */
export interface ImapToken {
  type: string;
  value?: string | Buffer | number | null | undefined;
  section?: ImapAttribute[] | undefined;
  partial?: number[] | undefined;
}

/** What a response consists of: tokens, lists in parentheses, and null for NIL. */
export type ImapAttribute = ImapToken | ImapAttribute[] | null;

/** A folder name in Unicode, to be sent in the encoding that the connection speaks. See {@link mailboxName}. */
export interface MailboxArgument {
  mailbox: string;
}

/** What a command is built from: a bare string goes out as a quoted string. */
export type ImapArgument = ImapToken | MailboxArgument | string | number | ImapArgument[];

/** An atom, sent as it is: keywords such as `RETURN`, flags, numbers of 64 bits. */
export const atom = (value: string): ImapToken => ({ type: 'ATOM', value });

/** A set of uids or sequence numbers, for instance `1:5,9`. */
export const sequence = (value: string): ImapToken => ({ type: 'SEQUENCE', value });

/** A string that may hold anything: sent as a literal. */
export const literal = (value: string | Buffer): ImapToken => ({ type: 'LITERAL', value });

/** A folder name in Unicode, always quoted: some names would be taken for something else as atoms. */
export const mailboxName = (name: string): MailboxArgument => ({ mailbox: name });

/** The text of a token; empty for NIL and lists. */
export function textOf(attribute: ImapAttribute | undefined): string {
  if (!attribute || Array.isArray(attribute)) return '';
  return attribute.value == null ? '' : attribute.value.toString();
}

/** The number of a token; undefined where the token is none, or one that a JSON number does not hold exactly. */
export function numberOf(attribute: ImapAttribute | undefined): number | undefined {
  return toNumber(textOf(attribute));
}

/** A number of digits alone; undefined for anything else and above 2^53 - 1. */
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
