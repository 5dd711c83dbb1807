import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/client/index.js';
import { runMain } from '../cli/run-main.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { deterministicBytes, message } from '../support/mail.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

const TIMES = 200;
const TIMEOUT_MS = 60_000;
/** Around what fits one frame, and around what comes with the answer in one read. */
const SIZES = [0, 1, 20, 60_000, 65_536, 200 * 1024];
const contents = SIZES.map((size) => deterministicBytes(size));

let dovecot: Dovecot;
let folder: string;
let broker: Awaited<ReturnType<typeof runBroker>>;
let session: string;
let source: Buffer;
let uidValidity = 0;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-download-'));
  broker = await runBroker(dovecot, {
    listeners: [{ host: '127.0.0.1', port: 0 }, { unix: join(folder, 'broker.sock') }],
  });
  const user = newUser();
  const attachments = contents.map((content, index) => ({ filename: `${index}.bin`, content }));
  source = message({ subject: 'parts', text: 'x', attachments });
  await dovecot.deliver(user, 'INBOX', source);
  const client = createClient({ url: broker.url, token: TOKEN });
  ({ session } = await client.session.open({ server: 'dovecot', user, auth: { password: PASSWORD } }));
  ({ uidValidity } = await client.message.list({ session, mailbox: 'INBOX' }));
  client.close();
});
afterAll(async () => {
  await broker.stop();
  await dovecot.stop();
  rmSync(folder, { recursive: true });
});

const named = (index: number) => ({ session, mailbox: 'INBOX', uidValidity, uid: 1, part: String(index + 2) });

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function download(client: Client, index: number): Promise<void> {
  const { body } = await client.message.part(named(index));
  const bytes = await bytesOf(body);
  if (!bytes.equals(contents[index] ?? Buffer.of())) throw new Error(`${bytes.length} other bytes of ${SIZES[index]}`);
}

/** What went wrong of so many downloads, so many at a time. */
async function failuresOf(work: () => Promise<void>, atOnce: number): Promise<string[]> {
  const failures: string[] = [];
  let left = TIMES;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await work().catch((error: Error) => failures.push(error.message));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return failures;
}

describe.each([
  { over: 'TCP', listener: 0 },
  { over: 'a Unix socket', listener: 1 },
])('over $over the client downloads', ({ listener }) => {
  for (const [index, size] of SIZES.entries()) {
    it.each([1, 8])(
      `a part of ${size} bytes ${TIMES} times, %i at a time`,
      async (atOnce) => {
        const client = createClient({ url: broker.urls[listener] ?? '', token: TOKEN });
        expect(await failuresOf(() => download(client, index), atOnce)).toEqual([]);
        client.close();
      },
      TIMEOUT_MS,
    );

    it(
      `a part of ${size} bytes ${TIMES} times by the command call`,
      async () => {
        const url = broker.urls[listener] ?? '';
        const params = JSON.stringify(named(index));
        const call = async () => {
          const { code, out, err } = await runMain('call', 'message.part', params, '--url', url, '--token', TOKEN);
          if (code !== 0 || out !== contents[index]?.toString('latin1')) throw new Error(`${code}: ${err}`);
        };
        expect(await failuresOf(call, 8)).toEqual([]);
      },
      TIMEOUT_MS,
    );
  }
});
