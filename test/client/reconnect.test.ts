import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BrokerOptions } from '../../src/broker/options.js';
import { type Client, type ClientOptions, createClient, RpcError } from '../../src/client/index.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { type Relay, startRelay } from '../support/relay.js';
import { runBroker, TOKEN } from '../support/running-broker.js';
import { waitFor } from '../support/wait-for.js';

let dovecot: Dovecot;
let folder: string;
let unix: string;
let broker: Awaited<ReturnType<typeof runBroker>> | undefined;
let clients: Client[] = [];
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-client-'));
  unix = join(folder, 'broker.sock');
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await broker?.stop();
  broker = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(overrides: Partial<BrokerOptions> = {}): Promise<void> {
  broker = await runBroker(dovecot, { listeners: [{ unix }, { host: '127.0.0.1', port: 0 }], ...overrides });
}

function client(options: Partial<ClientOptions> = {}): Client {
  const made = createClient({ url: `unix:${unix}`, token: TOKEN, ...options });
  clients.push(made);
  return made;
}

async function login(made: Client) {
  const { session } = await made.session.open({ server: 'dovecot', user: newUser(), auth: { password: PASSWORD } });
  return made.withSession(session);
}

/** A client behind a network that can fail. */
async function relayed(options: Partial<ClientOptions> = {}): Promise<{ relay: Relay; made: Client }> {
  const [, url = ''] = broker?.urls ?? [];
  const { hostname, port } = new URL(url);
  const relay = await startRelay({ host: hostname, port: Number(port) });
  return { relay, made: client({ url: `ws://127.0.0.1:${relay.port}`, ...options }) };
}

const anyUpload = () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const content = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  return { content, push: (bytes: Uint8Array) => controller?.enqueue(bytes), wasCancelled: () => cancelled };
};

describe('a client whose broker comes and goes', () => {
  it('connects when there is a broker at last', async () => {
    const pong = client().broker.ping();
    await start();
    expect(await pong).toMatchObject({ version: expect.any(String) });
  });

  it('goes on with another broker at the same address', async () => {
    const epochs: string[] = [];
    const made = client({ onHello: ({ epoch }) => epochs.push(epoch) });
    await start();
    await made.broker.ping();
    await broker?.stop();
    await start();
    await made.broker.ping();
    expect(new Set(epochs).size).toBe(2);
  });

  it('says in time that there is none, and why', async () => {
    const { port } = await new Promise<{ port: number }>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address() as { port: number };
        server.close(() => resolve(address));
      });
    });
    const before = performance.now();
    await expect(client({ url: `ws://127.0.0.1:${port}` }).broker.ping({ timeoutMs: 200 })).rejects.toMatchObject({
      kind: 'DEADLINE',
      executed: 'no',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it.each([
    [{ token: 'wrong' }, 'UNAUTHENTICATED'],
    [{ token: TOKEN, url: 'ws://WRONG' }, 'DEADLINE'],
  ])('does not try for ever with %j', async (options, kind) => {
    await start();
    const url = 'url' in options ? { url: 'ws://127.0.0.1:1' } : {};
    const refused = client({ ...options, ...url }).broker.ping({ timeoutMs: 300 });
    await expect(refused).rejects.toMatchObject({ kind, executed: 'no' });
  });

  it('moves on without a failed request when the broker drains', async () => {
    await start();
    const made = client();
    const stop = new AbortController();
    const asking = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) await made.broker.ping();
    });
    await broker?.drain(5000);
    await start();
    await made.broker.ping();
    stop.abort();
    await Promise.all(asking);
  });

  it('repeats a read that a drain did not wait for, and never a write, which may have been done', async () => {
    const imap = await startRelay(dovecot.tlsPort);
    const options = {
      servers: [dovecot.server({ port: imap.port })],
      sessionFiles: { keyFile: join(folder, 'keys'), createKeys: true },
    };
    await start(options);
    const made = client();
    const mail = await login(made);
    await mail.message.list({ mailbox: 'INBOX' });
    imap.freeze();
    // It takes the connection that is there.
    const write = mail.mailbox.create({ mailbox: 'Once' });
    const refused = expect(write).rejects.toMatchObject({ kind: 'DRAINING', executed: 'maybe' });
    const read = mail.message.list({ mailbox: 'Sent' });
    await made.broker.ping();
    await broker?.drain(50);
    await refused;
    imap.thaw();
    await start(options);
    expect((await read).messages).toEqual([]);
    await imap.close();
  });
});

describe('a client that loses its socket', () => {
  it('repeats a read, and never a write, which may have been done', async () => {
    await start();
    const { relay, made } = await relayed();
    const mail = await login(made);
    relay.freeze();
    const read = mail.message.list({ mailbox: 'INBOX' });
    const write = mail.mailbox.create({ mailbox: 'Once' });
    write.catch(() => {});
    // Both are on their way into the silence; then the line breaks.
    await new Promise((resolve) => setImmediate(resolve));
    relay.cut();
    relay.thaw();
    expect((await read).messages).toEqual([]);
    await expect(write).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
    await relay.close();
  });

  it('notices a line that fell silent by the missing heartbeat', async () => {
    await start({ sockets: { heartbeatMs: 50 } });
    const { relay, made } = await relayed();
    await made.broker.ping();
    relay.freeze();
    const pong = made.broker.ping({ timeoutMs: 5000 });
    await waitFor(() => expect(relay.accepted).toBeGreaterThan(1));
    relay.cut();
    relay.thaw();
    await pong;
    await relay.close();
  });

  it('fails a download that was under way', async () => {
    await start();
    const { relay, made } = await relayed();
    const mail = await login(made);
    const raw = message({ text: 'x'.repeat(2_000_000) });
    const { uidValidity } = await mail.message.append({ mailbox: 'INBOX', content: new Uint8Array(raw) });
    const { body } = await mail.message.source({ mailbox: 'INBOX', uidValidity: uidValidity ?? 0, uid: 1 });
    const reader = body.getReader();
    await reader.read();
    relay.cut();
    const rest = async () => {
      for (;;) if ((await reader.read()).done) return;
    };
    await expect(rest()).rejects.toMatchObject({ kind: 'CONNECTION_LOST' });
    await relay.close();
  });
});

describe('a caller that gives up', () => {
  it.each(['before it is sent', 'while it connects'])('is answered at once %s', async (when) => {
    const stop = new AbortController();
    if (when === 'before it is sent') stop.abort();
    const pong = client().broker.ping({}, { signal: stop.signal });
    stop.abort();
    await expect(pong).rejects.toMatchObject({ kind: 'CANCELLED', executed: 'no' });
  });

  it('cancels the request at the broker', async () => {
    await start();
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    await broker?.stop();
    await start({ servers: [dovecot.server({ port })] });
    const stop = new AbortController();
    const connected = new Promise((resolve) => silent.once('connection', resolve));
    const params = { server: 'dovecot', user: 'u', auth: { password: 'p' } };
    const opening = client().session.open(params, { signal: stop.signal });
    await connected;
    stop.abort();
    await expect(opening).rejects.toMatchObject({ kind: 'CANCELLED' });
    await broker?.stop();
    silent.close();
  });

  it('ends an upload, and reading of its source', async () => {
    await start();
    const mail = await login(client());
    const stop = new AbortController();
    const { content, push, wasCancelled } = anyUpload();
    const params = { mailbox: 'INBOX', content, size: 1_000_000 };
    const appending = mail.message.append(params, { signal: stop.signal });
    push(new Uint8Array(1000).fill(65));
    await waitFor(() => expect(content.locked).toBe(true));
    stop.abort();
    await expect(appending).rejects.toMatchObject({ kind: 'CANCELLED', executed: 'no' });
    await waitFor(() => expect(wasCancelled()).toBe(true));
    expect((await mail.message.list({ mailbox: 'INBOX' })).total).toBe(0);
  });
});

describe('an upload', () => {
  it('whose source fails fails with the reason of its source, and stores nothing', async () => {
    await start();
    const mail = await login(client());
    const content = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('disk on fire')),
    });
    await expect(mail.message.append({ mailbox: 'INBOX', content, size: 10 })).rejects.toThrow('disk on fire');
    expect((await mail.message.list({ mailbox: 'INBOX' })).total).toBe(0);
  });

  it.each<[string, unknown, string]>([
    ['no content', undefined, 'content'],
    ['a number', 5, 'content'],
    ['a stream without its size', new ReadableStream(), 'size'],
  ])('of %s is refused before anything is sent', async (_what, content, field) => {
    const mail = client().withSession('x');
    const params = { mailbox: 'INBOX', content } as Parameters<typeof mail.message.append>[0];
    await expect(mail.message.append(params)).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field, executed: 'no' });
  });
});

describe('a client', () => {
  it('bounds what is under way', async () => {
    const made = client({ maxPending: 2 });
    const waiting = [made.broker.ping(), made.broker.ping()];
    const refused = made.broker.ping();
    await expect(refused).rejects.toMatchObject({ kind: 'RATE_LIMITED', executed: 'no', retryAfterMs: 1000 });
    made.close();
    for (const one of waiting) await expect(one).rejects.toMatchObject({ kind: 'CANCELLED', executed: 'no' });
  });

  it('holds no more of a download than its credit, and asks for more as it is read', async () => {
    await start();
    const mail = await login(client());
    const raw = message({ text: 'x'.repeat(3_000_000) });
    const { uidValidity } = await mail.message.append({ mailbox: 'INBOX', content: new Uint8Array(raw) });
    const folder = { mailbox: 'INBOX', uidValidity: uidValidity ?? 0 };
    const { body, size } = await mail.message.source({ ...folder, uid: 1 });
    const reader = body.getReader();
    let bytes = (await reader.read()).value?.length ?? 0;
    // The broker waits for credit meanwhile: its connection is busy until all is read.
    await mail.message.list({ mailbox: 'INBOX' });
    const busy = () => [...(broker?.registry.stats.values() ?? [])].map((stats) => stats.busy);
    expect(busy()).toEqual([1]);
    for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.length;
    expect(bytes).toBe(size);
    await waitFor(() => expect(busy()).toEqual([0]));
  });

  it('that is closed rejects what runs, and refuses what comes', async () => {
    await start();
    const made = client();
    const mail = await login(made);
    const running = mail.message.list({ mailbox: 'INBOX' });
    made.close();
    await expect(running).rejects.toMatchObject({ kind: 'CANCELLED' });
    await expect(made.broker.ping()).rejects.toBeInstanceOf(RpcError);
  });
});
