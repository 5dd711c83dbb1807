// Written by `npm run docs` from src/protocol.

import type { Body, CallOptions, InSession } from '../calls.js';
import type { Attachment, BodyItem, Envelope, Explanation, Meta, ReadParams, Structure } from './models.js';

/** A message that was opened. */
export interface Message {
  /** Uid of the message in its folder. */
  uid: number;
  flags: string[];
  envelope: Envelope;
  /** RFC822.SIZE: bytes of the whole message, its parts encoded; with part those of the attached message. */
  size: number;
  /** With part that of the outer message, as are uid and flags. */
  internalDate: string;
  headers:
    | {
        name: string;
        value: string;
      }[]
    | null;
  structure: Structure;
  /**
   * What is shown where plain text is preferred, in its order (RFC 8621 section 4.1.4): html where there is
   * nothing else. null with only: html.
   */
  textBody: BodyItem[] | null;
  /**
   * What is shown where html is preferred, in its order: plain text where there is nothing else. Html is as
   * sent: sanitise it before you show it. null with only: text.
   */
  htmlBody: BodyItem[] | null;
  /** All parts that are no texts of the body. */
  attachments: Attachment[];
  /** Whether a bound cut the headers, the structure with what follows from it, or a text. */
  truncated: boolean;
  /**
   * Only where the answer of the IMAP server for this message is over a limit of the broker or damaged: members
   * that have but the beginning of what the server said, or nothing.
   */
  unreadable?: string[];
}

/** Parameters of message.get. */
export interface MessageGetParams extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uids of messages in the folder, 1 to 50. */
  uids: readonly number[];
  /**
   * Opens the message that is attached as this part of the one message in uids. Part numbers in the answer are
   * those of the outer message.
   */
  part?: string | undefined;
  /** Header lines, decoded, in their order: all, or those of these names. Default: `false`. */
  headers?: boolean | readonly string[] | undefined;
  /** text: textBody alone is fetched and sent; html: htmlBody alone. Default: both. */
  only?: 'text' | 'html' | undefined;
  /**
   * Bound of decoded bytes of the texts of textBody and of htmlBody, each; 0 leaves all texts out. Default:
   * `524288`.
   */
  maxTextBytes?: number | undefined;
  /**
   * Sets \Seen, as a rule in the same round trip; a folder that keeps no \Seen answers the messages all the
   * same.
   */
  markSeen?: boolean | undefined;
}

/** What message.get answers. */
export interface MessageGetResult {
  messages: Message[];
  /** Uids of the request that the folder does not have (any more). */
  notFound: number[];
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of message.part. */
export interface MessagePartParams extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uid of the message in its folder. */
  uid: number;
  /**
   * Number of a part; of a multipart all that is in it. With .MIME its MIME header; .HEADER and .TEXT of an
   * attached message; HEADER and TEXT of the message itself. A multipart and what is no number are sent as they
   * are in the message.
   */
  part: string;
  /** Whether to leave the transfer encoding (base64 and such) as it is. */
  encoded?: boolean | undefined;
  /** text: decoded to UTF-8 with LF line ends, as message.get shows it; not with offset or length. */
  as?: 'text' | undefined;
  /** With as: the charset to decode from, in place of the one that the part names. */
  charset?: string | undefined;
  /**
   * stream: binary frames carry the bytes. inline: the answer has them in base64, at most 1 MiB. Default:
   * `"stream"`.
   */
  transfer?: 'stream' | 'inline' | undefined;
  /** First byte. Default: `0`. */
  offset?: number | undefined;
  /** Most bytes to send; default: to the end. */
  length?: number | undefined;
}

/** What message.part answers. */
export interface MessagePartResult {
  type: string;
  parameters: Record<string, string>;
  fileName: string | null;
  contentId: string | null;
  /**
   * Bytes of the whole part before decoding, as the server states them; null where it states none, as of a
   * multipart or a header.
   */
  encodedSize: number | null;
  /** Bytes of the whole part as it is sent, where that is known exactly; else null. */
  decodedSize: number | null;
  /** Only where it was asked for. */
  explain?: Explanation;
  /** The bytes, however they travel: read or cancel it, else the connection to the IMAP server stays busy. */
  body: Body;
}

/** Parameters of message.source. */
export interface MessageSourceParams extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** Uid of the message in its folder. */
  uid: number;
  /**
   * stream: binary frames carry the bytes. inline: the answer has them in base64, at most 1 MiB. Default:
   * `"stream"`.
   */
  transfer?: 'stream' | 'inline' | undefined;
  /** First byte. Default: `0`. */
  offset?: number | undefined;
  /** Most bytes to send; default: to the end. */
  length?: number | undefined;
}

/** What message.source answers. */
export interface MessageSourceResult {
  /** RFC822.SIZE: bytes of the whole message, as they are sent. */
  size: number;
  /** Only where it was asked for. */
  explain?: Explanation;
  /** The bytes, however they travel: read or cancel it, else the connection to the IMAP server stays busy. */
  body: Body;
}

export interface MessageReadCalls {
  /**
   * Opens messages, or a message that is attached to one: headers, structure, decoded texts, list of
   * attachments. Sets no flag but with markSeen.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED
   */
  get(params: InSession<MessageGetParams>, options?: CallOptions): Promise<MessageGetResult>;
  /**
   * The bytes of one part, decoded or as they are in the message, or its text; as a stream or inline.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, TOO_LARGE, STREAM_STALLED
   */
  part(params: InSession<MessagePartParams>, options?: CallOptions): Promise<MessagePartResult>;
  /**
   * The raw message (RFC 5322), as a stream or inline.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, TOO_LARGE, STREAM_STALLED
   */
  source(params: InSession<MessageSourceParams>, options?: CallOptions): Promise<MessageSourceResult>;
}

export interface MessageReadCallsInSession {
  /**
   * Opens messages, or a message that is attached to one: headers, structure, decoded texts, list of
   * attachments. Sets no flag but with markSeen.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED
   */
  get(params: MessageGetParams, options?: CallOptions): Promise<MessageGetResult>;
  /**
   * The bytes of one part, decoded or as they are in the message, or its text; as a stream or inline.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, TOO_LARGE, STREAM_STALLED
   */
  part(params: MessagePartParams, options?: CallOptions): Promise<MessagePartResult>;
  /**
   * The raw message (RFC 5322), as a stream or inline.
   * @throws RpcError of kind NOT_FOUND, STATE_CHANGED, TOO_LARGE, STREAM_STALLED
   */
  source(params: MessageSourceParams, options?: CallOptions): Promise<MessageSourceResult>;
}
