import type { ReadableStream as NodeStream } from 'node:stream/web';

/** What every call takes beside its parameters. */
export interface CallOptions {
  /** Cancels the request, at the broker as well; the call rejects with a CancelledError. */
  signal?: AbortSignal | undefined;
}

/** The bytes of an answer, as a web stream: of Node, and of the DOM where a program has those types. */
export type Body = ReadableStream<Uint8Array> & NodeStream<Uint8Array>;

/** A message to append: its bytes, or a stream of them with its size. */
export type AppendContent =
  | {
      /** The raw message (RFC 5322): text goes as UTF-8. */
      content: string | Uint8Array | Blob;
    }
  | {
      /** The raw message (RFC 5322), as a web stream that is read once. */
      content: ReadableStream<Uint8Array> | NodeStream<Uint8Array>;
      /** Bytes in the stream, exactly. */
      size: number;
    };

/** Parameters of a call at which the session is named. */
export type InSession<P> = P & {
  /** The token that session.open answered. */
  session: string;
};

/** Parameters of a call whose caller has kept no answer. */
export type Anew<P> = P & { ifState?: undefined };
