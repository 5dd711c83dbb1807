import { lines } from './mail.js';

/** What a correct reader shows. What is left out here does not matter in that fixture. */
export interface Expected {
  /** Decoded and unfolded. `null`: there is none. */
  subject?: string | null;
  /** Display name of the (first) sender; `null`: none. */
  fromName?: string | null;
  fromAddress?: string | null;
  /** The text/plain body, decoded, line ends as `\n`, those at its end dropped. */
  text?: string;
  /** The same with format=flowed undone. */
  unflowed?: string;
  html?: string;
  /** In their order in the message, those within a forwarded message not among them. */
  attachments?: Array<{ filename: string | null; contentType: string; size?: number; contentId?: string }>;
  /** Of the forwarded message within. */
  forwarded?: Expected;
  /** `null`: the Date header is missing or nonsense. */
  date?: Date | null;
  /**
   * The message does not say enough to be sure: U+FFFD in place of its non-ASCII letters is a correct reading as well.
   * To fail, or to show less than the ASCII letters, is not.
   */
  lossy?: boolean;
}

export interface MailFixture {
  raw(): Buffer;
  expected: Expected;
}

/** A text/plain message of which only the headers are of interest. */
export function withHeaders(...headers: Array<string | Buffer>): Buffer {
  const hasType = headers.some((line) => line.toString('latin1').startsWith('Content-Type:'));
  return lines(
    'Date: Mon, 06 May 2024 07:08:09 +0000',
    'MIME-Version: 1.0',
    ...headers,
    ...(hasType ? [] : ['Content-Type: text/plain; charset=utf-8']),
    '',
    'Body',
  );
}

/** A message of a single text/plain part of which only the body is of interest. */
export function withBody(contentType: string | undefined, encoding: string | undefined, body: string | Buffer): Buffer {
  return lines(
    'From: Alice <alice@example.com>',
    'To: bob@example.com',
    'Subject: Body',
    'Date: Mon, 06 May 2024 07:08:09 +0000',
    'MIME-Version: 1.0',
    ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`]),
    ...(encoding === undefined ? [] : [`Content-Transfer-Encoding: ${encoding}`]),
    '',
    body,
  );
}

/** Types a set of fixtures while its names stay known. */
export function fixtures<Name extends string>(set: Record<Name, MailFixture>): Record<Name, MailFixture> {
  return set;
}
