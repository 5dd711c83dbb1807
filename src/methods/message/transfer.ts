import type { ImapConnection } from '../../imap/connection.js';
import type { Job } from '../../pool/job.js';
import type { OutgoingStream, SessionContext } from '../context.js';
import { type ByteRange, inline, pump, within } from './send-bytes.js';

/** What is to be sent: what the answer says of it, and its bytes. */
export interface Sendable<Meta> {
  meta: Meta;
  bytes: AsyncIterable<Buffer>;
}

type Sent<Meta> = Meta & { stream: number | null; data: string | null };

/**
 * Answers bytes inline, or as a stream: then the answer is given as soon as it is known what will be sent, and the
 * connection stays leased until the last byte has left or the caller gave up.
 */
export function transferBytes<Meta>(
  context: SessionContext,
  job: Job,
  params: ByteRange & { transfer: 'stream' | 'inline' },
  prepare: (connection: ImapConnection) => Promise<Sendable<Meta>>,
): Promise<Sent<Meta>> {
  if (params.transfer === 'stream') return streamed(context, job, params, prepare);
  return context.account.run(job, async (connection) => {
    const { meta, bytes } = await prepare(connection);
    return { ...meta, stream: null, data: await inline(within(bytes, params)) };
  });
}

async function streamed<Meta>(
  context: SessionContext,
  job: Job,
  range: ByteRange,
  prepare: (connection: ImapConnection) => Promise<Sendable<Meta>>,
): Promise<Sent<Meta>> {
  let stream: OutgoingStream | undefined;
  return new Promise((resolve, reject) => {
    const running = context.account.run(job, async (connection, lease) => {
      const { meta, bytes } = await prepare(connection);
      const open = context.streams.open();
      stream = open;
      resolve({ ...meta, stream: open.id, data: null });
      // Not thrown on: a read that lost its connection would be repeated, behind bytes that were sent already.
      await pump(within(bytes, range), open, lease).catch((error: unknown) => open.abort(error));
    });
    running.catch((error: unknown) => {
      stream?.abort(error);
      reject(error);
    });
  });
}
