import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../support/wait-for.js';
import { RawClient } from './raw-client.js';
import { stubBroker } from './stub-broker.js';

const good = { authorization: 'Bearer good', 'sec-websocket-protocol': 'imap-broker.v1' };

/** An upgrade by hand; answers the refusal. */
async function refused(url: string, headers: Record<string, string>) {
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  const key = { 'sec-websocket-key': Buffer.alloc(16).toString('base64') };
  const asked = request(url.replace('ws:', 'http:'), { headers: { ...upgrade, ...key, ...headers } }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'imap-broker-listener-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('an upgrade', () => {
  it.each(['good', 'next.good'])('with the live token %s is greeted', async (token) => {
    const { connect: open } = await stubBroker();
    const client = await open({ token });
    expect(client.ws.protocol).toBe('imap-broker.v1');
    expect(client.messages[0]).toMatchObject({
      method: 'broker.hello',
      params: { version: '1.2.3', epoch: 'e1', heartbeatMs: 30_000, limits: { streamInitialCreditBytes: 262_144 } },
    });
  });

  it.each([
    ['without a token', { authorization: '' }],
    ['with an unknown token', { authorization: 'Bearer bad' }],
    ['with another scheme', { authorization: 'Basic Z29vZA==' }],
    ['with a very long token', { authorization: `Bearer ${'x'.repeat(5000)}` }],
  ])('%s is answered 401, in JSON, with a challenge', async (_label, headers) => {
    const { url, listener } = await stubBroker();
    const answer = await refused(url, { ...good, ...headers });
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect(JSON.parse(answer.body)).toEqual({ status: 401, message: 'The bearer token is missing or unknown.' });
    expect(listener.sockets).toBe(0);
  });

  it('without the subprotocol is answered 400', async () => {
    const { url } = await stubBroker();
    expect((await refused(url, { authorization: 'Bearer good' })).status).toBe(400);
    expect((await refused(url, { ...good, 'sec-websocket-protocol': 'imap-broker.v2, chat' })).status).toBe(400);
  });

  it('with an Origin is answered 403 unless that Origin is allowed', async () => {
    const { url, connect: open } = await stubBroker({ allowedOrigins: ['https://mail.example'] });
    expect((await refused(url, { ...good, origin: 'https://evil.example' })).status).toBe(403);
    await open({ headers: { origin: 'https://mail.example' } });
  });

  it('with a Host that is not known is answered 403: a web page may have made its name point here', async () => {
    const { url, connect: open } = await stubBroker();
    for (const host of ['evil.example', 'evil.example:7143', 'localhost.evil.example']) {
      expect((await refused(url, { ...good, host })).status).toBe(403);
    }
    for (const host of ['localhost', 'localhost:7143', '127.0.0.1:1', '[::1]:7143', 'broker.internal:80']) {
      await open({ headers: { host } });
    }
  });

  it('is answered 503 while there are as many sockets as there may be', async () => {
    const { url, connect: open, listener } = await stubBroker({ limits: { sockets: 1 } });
    const first = await open();
    expect((await refused(url, good)).status).toBe(503);
    await first.close();
    await waitFor(() => expect(listener.sockets).toBe(0));
    await open();
  });

  it('is asked for, in a sentence, by a request that is none', async () => {
    const { url } = await stubBroker();
    const response = await fetch(url.replace('ws:', 'http:'));
    expect(response.status).toBe(426);
    expect(response.headers.get('upgrade')).toBe('websocket');
    expect(await response.text()).toContain('imap-broker.v1');
  });

  it('that was refused leaves no connection behind, though the peer keeps its side open', async () => {
    const { url, listener } = await stubBroker();
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.resume();
    await once(socket, 'end');
    socket.on('error', () => {});
    await listener.close();
    socket.destroy();
  });
});

describe('a listener', () => {
  it('closes although somebody is connected who never asked for anything', async () => {
    const { url, listener } = await stubBroker();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    const gone = once(socket, 'close');
    socket.resume().on('error', () => {});
    await listener.close();
    await gone;
  });

  it('serves a Unix socket for owner and group alone, and takes its file away', async () => {
    const path = join(folder(), 'broker.sock');
    const { url, connect: open, listener } = await stubBroker({ listen: { unix: path } });
    expect(url).toBe(`unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    const client = await open();
    expect(await client.request('broker.ping')).toMatchObject({ result: { params: {} } });
    await listener.close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('takes the place of a socket file that a crash has left', async () => {
    const path = join(folder(), 'broker.sock');
    const script = join(folder(), 'crash.cjs');
    writeFileSync(script, `require('net').createServer().listen(process.argv[2], () => process.kill(process.pid, 9))`);
    await once(fork(script, [path], { execArgv: [] }), 'exit');
    expect(statSync(path).isSocket()).toBe(true);
    const { connect: open } = await stubBroker({ listen: { unix: path } });
    await open();
  });

  it('leaves a socket alone that somebody answers on', async () => {
    const path = join(folder(), 'broker.sock');
    const other = createServer().listen(path);
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    await expect(stubBroker({ listen: { unix: path } })).rejects.toThrow('Another process listens');
    const probe = connect(path);
    await once(probe, 'connect');
    probe.destroy();
  });

  it('leaves a file alone that is no socket', async () => {
    const path = join(folder(), 'precious.txt');
    writeFileSync(path, 'precious');
    await expect(stubBroker({ listen: { unix: path } })).rejects.toThrow('is no socket');
    expect(statSync(path).size).toBe(8);
  });

  it('says so when its port is taken', async () => {
    const { url } = await stubBroker();
    const port = Number(new URL(url).port);
    await expect(stubBroker({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('listens at several addresses at once', async () => {
    const { url, listener } = await stubBroker();
    const second = await listener.listen({ host: '127.0.0.1', port: 0 });
    expect(second).not.toBe(url);
    await RawClient.open(second);
    await RawClient.open(url);
    expect(listener.sockets).toBe(2);
  });
});
