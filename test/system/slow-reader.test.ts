import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { builtProgram } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { LiveMemory } from '../support/live-memory.js';
import { deterministicBytes, message } from '../support/mail.js';
import { RawClient, TOKEN } from '../support/running-broker.js';

const ATTACHMENT = 25 * 1024 * 1024;
const GROWTH = 4 * 1024 * 1024;

let dovecot: Dovecot;
let broker: Program;
let memory: LiveMemory;
let url: string;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  const serve = ['serve', '--server', `localhost:${dovecot.tlsPort}`, '--ca', dovecot.caPath];
  const options = ['--expose-gc', '--inspect=127.0.0.1:0', builtProgram()];
  broker = new Program(process.execPath, [...options, ...serve, '--listen', '127.0.0.1:0', '--token', TOKEN]);
  const [, inspector = ''] = await broker.printed(/Debugger listening on (ws:\S+)/);
  memory = await LiveMemory.of(inspector);
  [, url = ''] = await broker.printed(/export IMAP_BROKER_URL=(\S+) /);
}, 120_000);
afterAll(async () => {
  memory.close();
  expect(await broker.stop()).toBe(0);
  await dovecot.stop();
});

interface Download {
  bytes: number;
  ended: Promise<number>;
  /** Allows the next portion. */
  allow(bytes: number): void;
}

/** Reads a stream, with credit only when the test gives it. */
function download(client: RawClient, stream: number): Download {
  const state: Download = {
    bytes: 0,
    ended: Promise.resolve(0),
    allow: (bytes) => client.notify('$/credit', { stream, bytes }),
  };
  const take = (frame: Buffer) => {
    if (frame.readUInt32BE(1) === stream && frame[0] === 1) state.bytes += frame.length - 5;
  };
  for (const frame of client.binary.splice(0)) take(frame);
  state.ended = new Promise((resolve) => {
    client.onBinary((frame) => {
      client.binary.length = 0;
      take(frame);
      if (frame.readUInt32BE(1) === stream && frame[0] !== 1) resolve(frame[0] ?? 0);
    });
  });
  return state;
}

async function login(user: string) {
  const client = await RawClient.open(url);
  const params = { server: 'localhost', user, auth: { password: dovecot.password } };
  const { session } = await client.call('session.open', params);
  const { uidValidity } = await client.call('message.list', { session, mailbox: 'INBOX' });
  const part = async () => {
    const attachment = { session, mailbox: 'INBOX', uidValidity, uid: 1, part: '2' };
    const { stream } = await client.call('message.part', { ...attachment, transfer: 'stream' });
    return stream ?? 0;
  };
  const page = () => client.call('message.list', { session, mailbox: 'INBOX' });
  return { client, session, part, page };
}

describe('a 25 MB attachment over a slow reader', () => {
  it('costs the broker less than 4 MB, while index pages of the same user are answered', async () => {
    const user = newUser();
    const attachments = [{ filename: 'film.bin', content: deterministicBytes(ATTACHMENT) }];
    await dovecot.deliver(user, 'INBOX', message({ subject: 'Film', attachments }));
    const { client, session, part, page } = await login(user);
    await page();
    const before = await memory.bytes();
    let most = before;
    const slow = download(client, await part());
    for (let allowed = 256 * 1024; allowed < ATTACHMENT; allowed += 256 * 1024) {
      await expect.poll(() => slow.bytes, { interval: 1 }).toBe(allowed);
      expect((await page()).messages).toHaveLength(1);
      most = Math.max(most, await memory.bytes());
      slow.allow(256 * 1024);
    }
    expect(await slow.ended).toBe(2);
    expect(slow.bytes).toBe(ATTACHMENT);
    expect(most - before).toBeLessThan(GROWTH);
    await client.call('session.close', { session });
    await client.close();
  }, 120_000);

  it('gives its connection back when the caller cancels it', async () => {
    const user = newUser();
    const attachments = [{ filename: 'film.bin', content: deterministicBytes(1024 * 1024) }];
    await dovecot.deliver(user, 'INBOX', message({ subject: 'Film', attachments }));
    const { client, session, part, page } = await login(user);
    // One more than an account has connections: the last could not begin unless the first was freed.
    const [first = 0, ...others] = [await part(), await part(), await part()];
    client.ws.send(encodeStreamFrame(StreamFrameType.ABORT, first));
    expect((await page()).messages).toHaveLength(1);
    others.push(await part());
    for (const stream of others) client.ws.send(encodeStreamFrame(StreamFrameType.ABORT, stream));
    expect((await page()).messages).toHaveLength(1);
    await client.call('session.close', { session });
    await expect.poll(async () => (await dovecot.who()).get(user)).toBeUndefined();
    await client.close();
  }, 60_000);
});
