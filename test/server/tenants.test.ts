import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { RequestContext } from '../../src/methods/context.js';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import { subprotocol } from '../../src/protocol/limits.js';
import { type Tenant, tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { certificates, clientCertificate } from '../support/certificates.js';
import { signal, stubBroker } from './stub-broker.js';

const shop = (given: Partial<Tenant> = {}) => tenantWith({ name: 'shop', tokenHashes: [hashToken('good')], ...given });
const other = tenantWith({ name: 'other', tokenHashes: [hashToken('other')] });

describe('an application', () => {
  it('has as many sockets as it may have, and others have theirs', async () => {
    const quotas = { ...shop().quotas, sockets: 2 };
    const { connect } = await stubBroker({ tenants: [shop({ quotas }), other] });
    const sockets = [await connect(), await connect()];
    const refused = await connect();
    expect(refused.ws.readyState).toBe(WebSocket.CONNECTING);
    refused.ws.terminate();
    expect(refused.messages).toEqual([]);
    expect((await (await connect({ token: 'other' })).request('broker.ping')).result).toBeDefined();
    await sockets[0]?.close();
    expect((await (await connect()).request('broker.ping')).result).toBeDefined();
  });

  it('has as many requests under way as it may have, over all of its sockets', async () => {
    const quotas = { ...shop().quotas, concurrentRequests: 3 };
    const free = signal();
    const handlers = { 'rpc.discover': () => free.fired.then(() => ({})) };
    const { connect } = await stubBroker({ tenants: [shop({ quotas }), other], handlers });
    const [first, second] = [await connect(), await connect()];
    const running = [first.request('rpc.discover'), first.request('rpc.discover'), second.request('rpc.discover')];
    const refused = await second.request('broker.ping');
    expect(refused.error?.data).toMatchObject({ kind: 'RATE_LIMITED', executed: 'no', retryAfterMs: 1000 });
    expect((await (await connect({ token: 'other' })).request('broker.ping')).result).toBeDefined();
    free.fire();
    for (const one of running) expect((await one).result).toBeDefined();
    expect((await second.request('broker.ping')).result).toBeDefined();
  });

  it('has as many streams open as it may have, over all of its sockets', async () => {
    const quotas = { ...shop().quotas, streams: 1 };
    const handlers = { 'rpc.discover': async ({ streams }: RequestContext) => ({ stream: streams.open().id }) };
    const { connect } = await stubBroker({ tenants: [shop({ quotas })], handlers });
    const [first, second] = [await connect(), await connect()];
    expect((await first.request('rpc.discover')).result).toEqual({ stream: 2 });
    const refused = await second.request('rpc.discover');
    expect(refused.error?.data).toMatchObject({ kind: 'RATE_LIMITED', executed: 'no', retryAfterMs: 1000 });
    await first.close();
    expect((await second.request('rpc.discover')).result).toMatchObject({ stream: expect.any(Number) });
  });

  it('sends as many requests a second as it may, and is told when the next is welcome', async () => {
    const quotas = { ...shop().quotas, requestsPerSecond: 20 };
    const { connect } = await stubBroker({ tenants: [shop({ quotas }), other] });
    const client = await connect();
    const answers = await Promise.all(Array.from({ length: 30 }, () => client.request('broker.ping')));
    const refused = answers.filter(({ error }) => error);
    expect(refused.length).toBeGreaterThan(5);
    expect(refused.length).toBeLessThanOrEqual(10);
    for (const { error } of refused) {
      expect(error?.data).toMatchObject({ kind: 'RATE_LIMITED', executed: 'no' });
      expect(error?.data.retryAfterMs).toBeLessThanOrEqual(50);
    }
    const beside = await connect({ token: 'other' });
    expect((await beside.request('broker.ping')).result).toBeDefined();
  });

  it('is not read for a moment when it was refused, and costs others nothing then', async () => {
    const quotas = { ...shop().quotas, requestsPerSecond: 1 };
    const { connect } = await stubBroker({ tenants: [shop({ quotas }), other] });
    const client = await connect();
    const beside = await connect({ token: 'other' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    await client.request('broker.ping');
    expect((await client.request('broker.ping')).error?.data.kind).toBe('RATE_LIMITED');
    let answered = false;
    const waiting = client.request('broker.ping').then(() => {
      answered = true;
    });
    for (let count = 0; count < 20; count += 1) await beside.request('broker.ping');
    expect(answered).toBe(false);
    vi.advanceTimersByTime(50);
    await waiting;
  });

  it('loses its socket with 4429 when it goes on and on though it is refused', async () => {
    const quotas = { ...shop().quotas, requestsPerSecond: 1 };
    const { connect } = await stubBroker({ tenants: [shop({ quotas })] });
    const client = await connect();
    for (let sent = 0; sent < 3_000; sent += 1) client.ask('broker.ping');
    expect(await client.closed).toBe(4429);
  });

  it('can call what its scopes allow, and nothing else', async () => {
    const tenants = [
      shop(),
      tenantWith({ name: 'nobody', tokenHashes: [hashToken('nobody')], scopes: [] }),
      tenantWith({ name: 'operator', tokenHashes: [hashToken('operator')], scopes: ['admin'] }),
    ];
    const { connect } = await stubBroker({ tenants });
    for (const { name, scopes } of tenants) {
      const client = await connect({ token: name === 'shop' ? 'good' : name });
      for (const method of Object.keys(contract) as MethodName[]) {
        const { error } = await client.request(method, {});
        const forbidden = error?.data.kind === 'FORBIDDEN';
        expect(forbidden, `${name} ${method}`).toBe(!scopes.includes(contract[method].scope));
      }
    }
  });
});

describe('a listener with TLS', () => {
  it('takes a bearer token, or a certificate that stands for an application, and nobody else', async () => {
    const { ca, cert, key } = certificates();
    const tenants = [shop(), tenantWith({ name: 'crm', certificateNames: ['crm.internal'] })];
    const listen = { host: '127.0.0.1', port: 0, tls: { cert, key, clientCa: ca } };
    const { url } = await stubBroker({ tenants, listen });
    expect(url).toMatch(/^wss:/);
    const open = async (options: object) => {
      const ws = new WebSocket(url, subprotocol, { ca, ...options });
      onTestFinished(() => ws.terminate());
      const outcome = await new Promise<unknown>((resolve) => {
        ws.once('open', () => resolve('open'));
        ws.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
        ws.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      });
      return outcome;
    };
    expect(await open({ headers: { authorization: 'Bearer good' } })).toBe('open');
    expect(await open({})).toBe(401);
    expect(await open(clientCertificate('crm.internal'))).toBe('open');
    expect(await open(clientCertificate('stranger'))).toBe(401);
    expect(await open(clientCertificate('crm.internal', { selfSigned: true }))).toBe(401);
    expect(await open({ ca: undefined })).toMatch(/CERT|SELF_SIGNED|UNABLE/);
  });
});
