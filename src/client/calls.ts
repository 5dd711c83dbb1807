import type { ReadableStream as NodeStream } from 'node:stream/web';

/** What every call takes beside its parameters. */
export interface CallOptions {
  /** Cancels the request, at the broker as well; the call rejects with a CancelledError. */
  signal?: AbortSignal | undefined;
}

/** The bytes of an answer, as a web stream: of Node, and of the DOM where a program has those types. */
export type Body = ReadableStream<Uint8Array> & NodeStream<Uint8Array>;

/** A message to append whose bytes are at hand. */
export interface AppendBytes {
  /** The raw message (RFC 5322): a string, which goes as UTF-8, bytes or a Blob. */
  content: string | Uint8Array | Blob;
}

/** A message to append whose bytes come by a stream. */
export interface AppendStream {
  /** The raw message (RFC 5322), as a web stream, which is read once. */
  content: ReadableStream<Uint8Array> | NodeStream<Uint8Array>;
  /** Bytes in the stream, exactly. */
  size: number;
}

/** Parameters of a call at which the session is named. */
export type InSession<P> = P & {
  /** The token that session.open answered. */
  session: string;
};

/** Parameters of a call whose caller has kept no answer. */
export type Anew<P> = P & { ifState?: undefined };
