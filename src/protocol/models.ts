import { z } from 'zod';
import { protocolLimits } from './limits.js';

/** A message's uid in its folder (RFC 9051 section 2.3.1.1). */
export const uid = z.int().min(1).max(4_294_967_295).describe('Uid of the message in its folder.');

/** The folder's UIDVALIDITY; together with a uid it names a message for ever. Up to 32 bits, so a JSON number holds it. */
export const uidValidity = z
  .int()
  .min(1)
  .max(4_294_967_295)
  .describe('UIDVALIDITY of the folder: its uids hold as long as it stays the same.');

export const uids = z
  .array(uid)
  .min(1)
  .max(protocolLimits.uidsPerRequest)
  .describe(`Uids of messages in the folder, 1 to ${protocolLimits.uidsPerRequest}.`);

/** A folder's full name in Unicode, with the server's delimiter. Names go to the server as they are: no trimming. */
export const mailboxName = z
  .string()
  .min(1)
  .max(protocolLimits.mailboxNameLength)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'a folder name has no control characters and no half characters (lone surrogates)')
  .describe('Full folder name in Unicode, levels joined by the delimiter of mailbox.list.');

/** A flag: a system flag such as `\Seen`, or a keyword such as `$Forwarded` (RFC 9051 section 2.3.2). */
export const flag = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\\?[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|}~[]+$/, 'a flag is an IMAP atom, with a backslash before system flags')
  .describe('A flag such as `\\Seen`, or a keyword such as `$Forwarded`.');

/** A label of Gmail: the name of a user's label in Unicode, or a system label such as `\Inbox`. */
export const label = z
  .string()
  .min(1)
  .max(250)
  .regex(
    /^(?:\\[A-Za-z]+|[^\\\p{Cc}\p{Cs}][^\p{Cc}\p{Cs}]*)$/u,
    'a label is a name, or a system label: a backslash and letters',
  )
  .describe(
    'A label in Unicode, levels joined by `/`; system labels begin with a backslash: `\\Inbox`, `\\Important`.',
  );

export const address = z.object({
  name: z.string().describe('Display name, decoded, without control characters; empty where there is none.'),
  address: z
    .string()
    .describe(
      'user@host as it is written, never decoded; user alone where the mail names no host; empty with the name of a group, which stands before its members, and where there is none.',
    ),
});
export type Address = z.infer<typeof address>;

export const date = z.iso.datetime().describe('RFC 3339 in UTC.');

export const envelope = z.object({
  date: date.nullable().describe('The Date header; null where it is missing or no date.'),
  subject: z.string(),
  messageId: z.string().nullable(),
  inReplyTo: z.string().nullable(),
  from: z.array(address),
  sender: z.array(address),
  replyTo: z.array(address),
  to: z.array(address),
  cc: z.array(address),
  bcc: z.array(address),
});
export type Envelope = z.infer<typeof envelope>;

/** Where an answer comes from. */
export const meta = z.object({
  asOf: date.describe('When the server last confirmed what this answer says.'),
  source: z
    .enum(['server', 'validated', 'cache', 'coalesced'])
    .describe(
      'server: fetched during this request. validated: from memory, confirmed by the server during this request. cache: from memory, as maxAgeMs allows. coalesced: shared with an identical request.',
    ),
  lagMs: z
    .int()
    .optional()
    .describe('With source cache and a live watch: milliseconds by which a change at the server may be seen later.'),
});
export type Meta = z.infer<typeof meta>;

/** What happened to a request. Times in milliseconds. */
export const explanation = z.object({
  totalMs: z.number().describe('From the arrival of the request to its answer.'),
  queueMs: z.number().describe('Waiting for a connection, a login that the request waited for included.'),
  connectMs: z.number().describe('Of queueMs: logins that were begun for the request.'),
  selectMs: z.number().describe('SELECT and EXAMINE.'),
  commandMs: z.number().describe('All other commands.'),
  commands: z.array(z.string()).describe('Names of the IMAP commands, in their order; at most 50.'),
  roundTrips: z
    .int()
    .describe('How often the IMAP server was waited for: commands that are sent in one packet count once.'),
  sentBytes: z.int().describe('To the IMAP server.'),
  receivedBytes: z.int().describe('From the IMAP server.'),
  connection: z.string().nullable().describe('Id of the connection, as in the log; null where none was needed.'),
  attempts: z.int().describe('2 where a read was repeated after its connection was lost; 0 where none was needed.'),
});
export type Explanation = z.infer<typeof explanation>;

export const pageLimit = z.int().min(1).max(protocolLimits.pageSize).default(50).describe('Rows in a page.');

export const cursor = z.string().min(1).max(512).describe('The nextCursor of the page before; opaque.');

/** The state that a folder had when an answer was given; opaque. */
export const state = z
  .string()
  .max(128)
  .regex(/^[0-9a-z.]+$/, 'not one that an answer carried')
  .describe('State of the folder; opaque.');

const encodedSize = 'Bytes as they are in the message, before its transfer encoding is undone.';
const decodedSize =
  'Bytes of what message.part sends, where that is known exactly; else null, as with base64 before it is read.';

/** A leaf or branch of a message's MIME tree (RFC 9051 section 7.5.2, BODYSTRUCTURE). */
export interface Structure {
  part: string;
  type: string;
  parameters: Record<string, string>;
  disposition: string | null;
  fileName: string | null;
  contentId: string | null;
  encoding: string | null;
  encodedSize: number | null;
  decodedSize: number | null;
  children: Structure[];
}
export const structure: z.ZodType<Structure> = z
  .object({
    part: z.string().describe('Part number for message.part; empty for the root of a multipart.'),
    type: z.string().describe('Media type in lower case.'),
    parameters: z.record(z.string(), z.string()),
    disposition: z.string().nullable(),
    fileName: z.string().nullable(),
    contentId: z.string().nullable(),
    encoding: z.string().nullable(),
    encodedSize: z.int().nullable().describe(`${encodedSize} null for a multipart.`),
    decodedSize: z.int().nullable().describe(decodedSize),
    get children() {
      return z.array(structure);
    },
  })
  .meta({ id: 'Structure' });

/** What a part that is no text of the body is there for. */
export const attachmentRole = z
  .enum(['attachment', 'inline', 'signature', 'calendar', 'encrypted', 'alternative', 'report'])
  .describe(
    'attachment: a file. inline: shown within the text: the html names it, or it belongs to the html, or it is a picture, sound or film between the texts that no file name makes a file. signature: of PGP or S/MIME. calendar: the invitation as text/calendar. encrypted: the message itself, within PGP or S/MIME, which the broker does not open. alternative: another form of the text, such as text/x-amp-html. report: of a bounce or receipt, with the message that it is about.',
  );
export type AttachmentRole = z.infer<typeof attachmentRole>;

export const attachment = z.object({
  part: z.string().describe('Part number for message.part.'),
  fileName: z.string().nullable(),
  type: z.string(),
  role: attachmentRole,
  encodedSize: z.int().describe(encodedSize),
  decodedSize: z.int().nullable().describe(decodedSize),
  contentId: z.string().nullable().describe('Without angle brackets; html refers to it as cid:….'),
  message: z
    .object({ envelope })
    .nullable()
    .describe('Of an attached message, which message.get opens with this part; null of anything else.'),
});
export type Attachment = z.infer<typeof attachment>;

/** One part of a body. */
export const bodyItem = z.object({
  part: z.string().describe('Part number for message.part.'),
  type: z.string().describe('text/plain, text/html, or that of a picture, sound or film between the texts.'),
  content: z
    .string()
    .nullable()
    .describe(
      'Decoded to Unicode; CRLF line ends of the mail become LF. null for what is no text, and with maxTextBytes 0.',
    ),
  truncated: z.boolean().describe('Whether a bound cut the content, or left it out: message.part has the whole part.'),
  charset: z.string().nullable().describe('As declared; null where it is missing.'),
  charsetProblem: z.boolean().describe('Whether bytes did not fit the declared charset or it is unknown.'),
});
export type BodyItem = z.infer<typeof bodyItem>;

export const statusCounts = z.object({
  messages: z.int(),
  unseen: z.int(),
  uidNext: z.int().nullable().describe('null where it is not known.'),
  uidValidity: z.int(),
  size: z
    .int()
    .nullable()
    .describe('Bytes in all messages; null where it is not known: the server does not offer STATUS=SIZE.'),
});
export type StatusCounts = z.infer<typeof statusCounts>;

export const failedUids = z.array(uid).describe('Uids of the request that the folder does not have (any more).');

/** Where messages of a copy, move or append arrived. */
export const uidPair = z.object({ source: uid, destination: uid });

/** A start of the broker, in which the numbers of events count. */
export const epoch = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[!-~]+$/, 'an epoch is printable ASCII without blanks');

/** An account, in its events. */
export const topic = z.string().min(1).max(200);

export const streamId = z.int().min(1).max(4_294_967_295);

/** The name of a tenant or a server, as the configuration has it. */
export const configuredName = z
  .string()
  .max(200)
  .regex(/^[!-~]+$/, 'a name is printable ASCII without blanks');

/** How the bytes of a part, source or upload travel. */
export const transfer = z
  .enum(['stream', 'inline'])
  .default('stream')
  .describe(
    `stream: binary frames carry the bytes. inline: the answer has them in base64, at most ${protocolLimits.inlineBytes / 1024 / 1024} MiB.`,
  );
