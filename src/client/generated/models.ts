// Written by `npm run docs` from src/protocol.

/** A name and an address in a header. */
export interface Address {
  /** Display name, decoded, without control characters; empty where there is none. */
  name: string;
  /**
   * user@host as it is written, never decoded; user alone where the mail names no host; empty with the name of a
   * group, which stands before its members, and where there is none.
   */
  address: string;
}

/** The headers that a list shows. */
export interface Envelope {
  /** The Date header; null where it is missing or no date. */
  date: string | null;
  subject: string;
  messageId: string | null;
  inReplyTo: string | null;
  from: Address[];
  sender: Address[];
  replyTo: Address[];
  to: Address[];
  cc: Address[];
  bcc: Address[];
}

/** A part of a message, with the parts in it. */
export interface Structure {
  /** Part number for message.part; empty for the root of a multipart. */
  part: string;
  /** Media type in lower case. */
  type: string;
  parameters: Record<string, string>;
  disposition: string | null;
  fileName: string | null;
  contentId: string | null;
  encoding: string | null;
  /** Bytes as they are in the message, before its transfer encoding is undone. null for a multipart. */
  encodedSize: number | null;
  /** Bytes of what message.part sends, where that is known exactly; else null, as with base64 before it is read. */
  decodedSize: number | null;
  children: Structure[];
}

/**
 * attachment: a file. inline: shown within the text: the html names it, or it belongs to the html, or it is a
 * picture, sound or film between the texts that no file name makes a file. signature: of PGP or S/MIME.
 * calendar: the invitation as text/calendar. encrypted: the message itself, within PGP or S/MIME, which the
 * broker does not open. alternative: another form of the text, such as text/x-amp-html. report: of a bounce or
 * receipt, with the message that it is about.
 */
export type AttachmentRole =
  | 'attachment'
  | 'inline'
  | 'signature'
  | 'calendar'
  | 'encrypted'
  | 'alternative'
  | 'report';

/** A part that is no text of the body. */
export interface Attachment {
  /** Part number for message.part. */
  part: string;
  fileName: string | null;
  type: string;
  /**
   * attachment: a file. inline: shown within the text: the html names it, or it belongs to the html, or it is a
   * picture, sound or film between the texts that no file name makes a file. signature: of PGP or S/MIME.
   * calendar: the invitation as text/calendar. encrypted: the message itself, within PGP or S/MIME, which the
   * broker does not open. alternative: another form of the text, such as text/x-amp-html. report: of a bounce or
   * receipt, with the message that it is about.
   */
  role: AttachmentRole;
  /** Bytes as they are in the message, before its transfer encoding is undone. */
  encodedSize: number;
  /** Bytes of what message.part sends, where that is known exactly; else null, as with base64 before it is read. */
  decodedSize: number | null;
  /** Without angle brackets; html refers to it as cid:…. */
  contentId: string | null;
  /** Of an attached message, which message.get opens with this part; null of anything else. */
  message: {
    envelope: Envelope;
  } | null;
}

/** A text of the body. */
export interface BodyItem {
  /** Part number for message.part. */
  part: string;
  /** text/plain, text/html, or that of a picture, sound or film between the texts. */
  type: string;
  /** Decoded to Unicode; CRLF line ends of the mail become LF. null for what is no text, and with maxTextBytes 0. */
  content: string | null;
  /** Whether a bound cut the content, or left it out: message.part has the whole part. */
  truncated: boolean;
  /** As declared; null where it is missing. */
  charset: string | null;
  /** Whether bytes did not fit the declared charset or it is unknown. */
  charsetProblem: boolean;
}

/** How many messages a folder has. */
export interface StatusCounts {
  messages: number;
  unseen: number;
  /** null where it is not known. */
  uidNext: number | null;
  uidValidity: number;
  /** Bytes in all messages; null where it is not known: the server does not offer STATUS=SIZE. */
  size: number | null;
}

/** Where an answer comes from, and how old it is. */
export interface Meta {
  /** When the server last confirmed what this answer says. */
  asOf: string;
  /**
   * server: fetched during this request. validated: from memory, confirmed by the server during this request.
   * cache: from memory, as maxAgeMs allows. coalesced: shared with an identical request.
   */
  source: 'server' | 'validated' | 'cache' | 'coalesced';
  /** With source cache and a live watch: milliseconds by which a change at the server may be seen later. */
  lagMs?: number;
}

/** What happened to a request. */
export interface Explanation {
  /** From the arrival of the request to its answer. */
  totalMs: number;
  /** Waiting for a connection, a login that the request waited for included. */
  queueMs: number;
  /** Of queueMs: logins that were begun for the request. */
  connectMs: number;
  /** SELECT and EXAMINE. */
  selectMs: number;
  /** All other commands. */
  commandMs: number;
  /** Names of the IMAP commands, in their order; at most 50. */
  commands: string[];
  /** How often the IMAP server was waited for: commands that are sent in one packet count once. */
  roundTrips: number;
  /** To the IMAP server. */
  sentBytes: number;
  /** From the IMAP server. */
  receivedBytes: number;
  /** Id of the connection, as in the log; null where none was needed. */
  connection: string | null;
  /** 2 where a read was repeated after its connection was lost; 0 where none was needed. */
  attempts: number;
}

/** A member of rows. */
export type ListField =
  | 'envelope'
  | 'flags'
  | 'size'
  | 'internalDate'
  | 'hasAttachment'
  | 'preview'
  | 'attachments'
  | 'structure'
  | 'emailId'
  | 'threadId'
  | 'labels';

/** Decoded header lines with these names, in any case. */
export interface HeaderField {
  headers: readonly string[];
}

/** A member of rows, as `fields` names it. */
export type Field = ListField | HeaderField;

/** A row of an index page. Which members it has follows from `fields`. */
export interface MessageSummary {
  /** Uid of the message in its folder. */
  uid: number;
  envelope?: Envelope;
  flags?: string[];
  /** RFC822.SIZE: bytes of the whole message, its parts encoded. */
  size?: number;
  /** When the server received it. */
  internalDate?: string;
  /**
   * Whether something is attached that a person would call an attachment: not pictures of the html, signatures,
   * invitations or the parts of a bounce.
   */
  hasAttachment?: boolean;
  /**
   * The beginning of the text, about 200 characters: PREVIEW (RFC 8970), else made by the broker. null where
   * there is nothing to read.
   */
  preview?: string | null;
  /** Comes with preview: what made it; null where it is null. */
  previewSource?: 'server' | 'broker' | null;
  /** As in message.get; without reading the html, so what only the html shows as inline is an attachment. */
  attachments?: Attachment[];
  structure?: Structure;
  /** EMAILID (RFC 8474), the same in every folder; X-GM-MSGID in decimal on Gmail; null where there is none. */
  emailId?: string | null;
  /** THREADID (RFC 8474); X-GM-THRID in decimal on Gmail; null where there is none. */
  threadId?: string | null;
  /** X-GM-LABELS: labels of Gmail, asked for in each request; null where the server has no labels. */
  labels?: string[] | null;
  /**
   * Decoded as in message.get: in the order of the names asked for, spelled as there; lines of one name in the
   * order of the mail. Of up to 16 KB of header lines.
   */
  headers?: {
    name: string;
    value: string;
  }[];
  /**
   * Only where the answer of the IMAP server for this message is over a limit of the broker, damaged or refused:
   * members that have but the beginning of what the server said, or nothing.
   */
  unreadable?: (
    | 'envelope'
    | 'flags'
    | 'size'
    | 'internalDate'
    | 'hasAttachment'
    | 'preview'
    | 'attachments'
    | 'structure'
    | 'emailId'
    | 'threadId'
    | 'labels'
    | 'headers'
  )[];
}

/** A row of a message, with the folder that it is in. */
export interface FoundMessage {
  /** Uid of the message in its folder. */
  uid: number;
  envelope?: Envelope;
  flags?: string[];
  /** RFC822.SIZE: bytes of the whole message, its parts encoded. */
  size?: number;
  /** When the server received it. */
  internalDate?: string;
  /**
   * Whether something is attached that a person would call an attachment: not pictures of the html, signatures,
   * invitations or the parts of a bounce.
   */
  hasAttachment?: boolean;
  /**
   * The beginning of the text, about 200 characters: PREVIEW (RFC 8970), else made by the broker. null where
   * there is nothing to read.
   */
  preview?: string | null;
  /** Comes with preview: what made it; null where it is null. */
  previewSource?: 'server' | 'broker' | null;
  /** As in message.get; without reading the html, so what only the html shows as inline is an attachment. */
  attachments?: Attachment[];
  structure?: Structure;
  /** EMAILID (RFC 8474), the same in every folder; X-GM-MSGID in decimal on Gmail; null where there is none. */
  emailId?: string | null;
  /** THREADID (RFC 8474); X-GM-THRID in decimal on Gmail; null where there is none. */
  threadId?: string | null;
  /** X-GM-LABELS: labels of Gmail, asked for in each request; null where the server has no labels. */
  labels?: string[] | null;
  /**
   * Decoded as in message.get: in the order of the names asked for, spelled as there; lines of one name in the
   * order of the mail. Of up to 16 KB of header lines.
   */
  headers?: {
    name: string;
    value: string;
  }[];
  /**
   * Only where the answer of the IMAP server for this message is over a limit of the broker, damaged or refused:
   * members that have but the beginning of what the server said, or nothing.
   */
  unreadable?: (
    | 'envelope'
    | 'flags'
    | 'size'
    | 'internalDate'
    | 'hasAttachment'
    | 'preview'
    | 'attachments'
    | 'structure'
    | 'emailId'
    | 'threadId'
    | 'labels'
    | 'headers'
  )[];
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
}

/** The answer to a call with `ifState` where nothing has changed. */
export interface Unchanged {
  /** The answer that carried the state is still true, word for word. */
  unchanged: true;
  /** State of the folder; opaque. */
  state: string;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of every method. */
export interface RequestParams {
  /** Milliseconds from arrival after which the request answers DEADLINE. Default: see broker.hello. */
  timeoutMs?: number | undefined;
}

/** Parameters of every method that changes mail. */
export interface WriteParams extends RequestParams {
  /** A newer request of the session with the same slot cancels this one while it is queued: SUPERSEDED. */
  slot?: string | undefined;
  /** Answers `explain`: what happened to the request, with timings. */
  explain?: boolean | undefined;
}

/** Parameters of every method that reads mail. */
export interface ReadParams extends WriteParams {
  /** Milliseconds that an answer from memory may be old. Default: 0, the server confirms it during this request. */
  maxAgeMs?: number | undefined;
}

/** Parameters of every method whose answers can be kept. */
export interface KeptParams extends ReadParams {
  /**
   * The state of an answer to the same params that the caller has kept: where it would be the same, `{unchanged:
   * true, state, meta}` is answered in its place.
   */
  ifState?: string | undefined;
}
