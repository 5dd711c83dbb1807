import { appendMessage, findStored, messageIdOf } from '../imap/messages/append.js';
import type { Params } from '../protocol/contract.js';
import { BrokerError } from '../protocol/errors.js';
import type { Handler, IncomingStream, SessionContext } from './context.js';
import { idempotently, outcomeUnknown } from './support/idempotently.js';
import { write } from './support/writing.js';

/**
 * The upload is collected before a connection is leased: a slow sender holds memory that is bounded, never one of the
 * account's few connections.
 */
export const appendToFolder: Handler<'message.append'> = async (context, params) => {
  const { mailbox, data, stream, size, flags, internalDate, idempotencyKey } = params;
  // The upload is accepted at the very start: its first frame may be right behind the request.
  const upload = stream === undefined ? undefined : context.streams.accept(stream);
  try {
    const raw = await messageOf(context, data, upload, size);
    const matters = { mailbox, flags, internalDate };
    const stored = await idempotently(
      context,
      idempotencyKey,
      matters,
      (takenOver) => store(context, params, raw, takenOver),
      raw,
    );
    return { mailbox, ...stored };
  } catch (error) {
    upload?.abort(error);
    throw error;
  }
};

/** @param takenOver whether a broker that is gone may have stored it */
function store(context: SessionContext, params: Params<'message.append'>, raw: Buffer, takenOver: boolean) {
  const { mailbox, flags, internalDate, repeat } = params;
  const messageId = repeat ? messageIdToFind(params, raw) : takenOver ? messageIdOf(raw) : undefined;
  if (takenOver && messageId === undefined) throw outcomeUnknown();
  const date = internalDate === undefined ? undefined : new Date(internalDate);
  return write(context, { selected: mailbox, others: [mailbox] }, async (connection) => {
    const stored = messageId && (await findStored(connection, mailbox, messageId));
    if (stored) return stored;
    const stated = connection.capabilities.get('APPENDLIMIT');
    const whose = `the IMAP server "${connection.server.name}"`;
    if (typeof stated === 'number') requireAtMost(raw.length, stated, whose);
    return appendMessage(connection, mailbox, { raw, flags, internalDate: date });
  });
}

/** What a repeated message is found by. @throws BrokerError INVALID_PARAMS */
function messageIdToFind({ idempotencyKey }: Params<'message.append'>, raw: Buffer): string {
  if (idempotencyKey === undefined) refuseUpload('repeat', 'repeat: it goes with an idempotencyKey.');
  return messageIdOf(raw) ?? refuseUpload('repeat', 'repeat: the message has no Message-ID to find it by.');
}

async function messageOf(
  context: SessionContext,
  data: string | undefined,
  upload: IncomingStream | undefined,
  size: number | undefined,
): Promise<Buffer> {
  if ((data === undefined) === (upload === undefined)) refuseUpload('data', 'data: give either data or stream.');
  const raw = upload ? await collectUpload(context, upload, size) : Buffer.from(data ?? '', 'base64');
  if (raw.length === 0) refuseUpload('data', 'data: a message has at least one byte.');
  if (raw.includes(0)) refuseUpload(upload ? 'stream' : 'data', 'data: a message has no NUL bytes.');
  return withCrLf(raw);
}

async function collectUpload(
  context: SessionContext,
  upload: IncomingStream,
  size: number | undefined,
): Promise<Buffer> {
  if (size === undefined) refuseUpload('size', 'size: missing; a stream needs it.');
  requireAtMost(size, context.services.limits.now.appendBytes, 'the broker');
  const chunks: Uint8Array[] = [];
  let taken = 0;
  const onAbort = () => upload.abort(context.signal.reason);
  context.signal.addEventListener('abort', onAbort);
  try {
    for await (const chunk of upload) {
      taken += chunk.length;
      if (taken > size) refuseUpload('size', `size: ${size} bytes were stated, but more came.`);
      chunks.push(chunk);
    }
  } finally {
    context.signal.removeEventListener('abort', onAbort);
  }
  if (taken < size) refuseUpload('size', `size: ${size} bytes were stated, but only ${taken} came.`);
  return Buffer.concat(chunks, taken);
}

/** Bare LF becomes CRLF: some servers refuse bare LF, and every mail format wants CRLF. */
function withCrLf(raw: Buffer): Buffer {
  const bare = /(?<!\r)\n/;
  const text = raw.toString('latin1');
  return bare.test(text) ? Buffer.from(text.replace(/(?<!\r)\n/g, '\r\n'), 'latin1') : raw;
}

function requireAtMost(size: number, limit: number, whose: string): void {
  if (size <= limit) return;
  const message = `size: ${size} bytes, but ${whose} takes at most ${limit} bytes a message.`;
  throw new BrokerError('TOO_LARGE', message, { field: 'size' });
}

function refuseUpload(field: string, message: string): never {
  throw new BrokerError('INVALID_PARAMS', message, { field });
}
