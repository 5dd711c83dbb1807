import { rpcError } from '../errors.js';

/** Content to append, with its size and a way to read it as a stream. */
export interface Measured {
  /** The bytes, where they are at hand. */
  bytes: Uint8Array | undefined;
  total: number;
  stream(): ReadableStream<Uint8Array>;
}

/** Finds out how much there is to send. @throws RpcError INVALID_PARAMS for what is no content */
export async function measured(content: unknown, size: unknown): Promise<Measured> {
  if (typeof content === 'string') return ofBytes(new TextEncoder().encode(content));
  if (content instanceof Uint8Array) return ofBytes(content as Uint8Array<ArrayBuffer>);
  if (content instanceof Blob) {
    return { bytes: undefined, total: content.size, stream: () => content.stream() };
  }
  if (content instanceof ReadableStream) {
    if (typeof size !== 'number') refuseContent('size', 'size: a stream needs the number of its bytes.');
    if (content.locked) refuseContent('content', 'content: the stream is locked: something reads it already.');
    return { bytes: undefined, total: size, stream: () => content };
  }
  return refuseContent('content', 'content: must be a string, bytes, a Blob or a ReadableStream.');
}

function ofBytes(bytes: Uint8Array<ArrayBuffer>): Measured {
  return { bytes, total: bytes.length, stream: () => new Blob([bytes]).stream() };
}

function refuseContent(field: string, message: string): never {
  throw rpcError(message, { kind: 'INVALID_PARAMS', executed: 'no', field });
}

/** Base64 of bytes, in pieces that fit on a call stack. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let from = 0; from < bytes.length; from += 8192) {
    binary += String.fromCharCode(...bytes.subarray(from, from + 8192));
  }
  return btoa(binary);
}
