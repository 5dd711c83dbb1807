import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { BrokerOptions } from '../../src/broker/options.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { page, samplesOf } from '../support/scrape.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

async function monitored(overrides: Partial<BrokerOptions> = {}): Promise<Broker & { url: string }> {
  const broker = await runBroker(dovecot, { monitor: { host: '127.0.0.1', port: 0 }, ...overrides });
  onTestFinished(() => broker.stop());
  return broker;
}

describe('a monitor', () => {
  it('listens where it was told, and nowhere else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-monitor-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const unix = join(folder, 'monitor.sock');
    const broker = await monitored({ monitor: { unix } });
    expect(broker.monitorUrl).toBe(`unix:${unix}`);
    expect(statSync(unix).mode & 0o777).toBe(0o660);
    expect(await page(broker.monitorUrl, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    const without = await monitored({ monitor: undefined });
    expect(without.monitorUrl).toBeUndefined();
    expect((await page(without.url.replace('ws:', 'http:'), '/metrics')).status).toBe(426);
  });

  it('answers GET and HEAD for what it has, to those who know its name', async () => {
    const { monitorUrl } = await monitored();
    expect(await page(monitorUrl, '/healthz?a', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect((await page(monitorUrl, '/healthz', { method: 'POST' })).status).toBe(405);
    expect((await page(monitorUrl, '/nothing')).status).toBe(404);
    expect((await page(monitorUrl, '/dashboard/../package.json')).status).toBe(404);
    expect((await page(monitorUrl, '/metrics', { host: 'rebound.example' })).status).toBe(403);
    const { headers } = await page(monitorUrl, '/metrics');
    expect(headers).toMatchObject({
      'content-type': expect.stringContaining('text/plain; version=0.0.4'),
      'content-security-policy': "default-src 'none'",
    });
  });

  it('serves the page for operators and what it loads, under a policy that lets nothing else run', async () => {
    const { monitorUrl } = await monitored();
    const { status, headers, body } = await page(monitorUrl, '/');
    expect({ status, headers }).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      },
    });
    for (const [, path] of body.matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
      expect(await page(monitorUrl, path ?? ''), path).toMatchObject({ status: 200 });
    }
    expect((await page(monitorUrl, '/dashboard/uplot.js')).headers['content-type']).toMatch('text/javascript');
  });

  it('takes no WebSockets by a bearer token', async () => {
    const { monitorUrl = '' } = await monitored();
    const url = monitorUrl.replace('http:', 'ws:');
    await expect(RawClient.open(url)).rejects.toThrow('403');
    await expect(RawClient.open(url, TOKEN, { origin: monitorUrl })).rejects.toThrow('401');
  });
});

describe('/metrics', () => {
  it('has requests by method, outcome and source, and nothing of users', async () => {
    const { url, monitorUrl } = await monitored();
    const client = await RawClient.open(url);
    const user = newUser();
    await dovecot.deliver(user, 'INBOX', 'Subject: one\r\n\r\none\r\n');
    const session = await client.login(user);
    await client.call('message.list', { session, mailbox: 'INBOX' });
    await client.call('message.list', { session, mailbox: 'INBOX' });
    await client.call('message.list', { session, mailbox: 'INBOX', maxAgeMs: 60_000 });
    await client.request('mailbox.list', { session: 'none' }).answer.catch(() => {});
    await client.request('no.such', {}).answer.catch(() => {});
    const { body } = await page(monitorUrl, '/metrics');
    const samples = samplesOf(body);
    const requests = (method: string, outcome: string, source: string) =>
      samples.get(`imap_broker_requests_total{method="${method}",outcome="${outcome}",source="${source}"}`);
    expect(requests('session.open', 'ok', 'none')).toBe(1);
    expect(requests('message.list', 'ok', 'server')).toBe(1);
    expect(requests('message.list', 'ok', 'validated')).toBe(1);
    expect(requests('message.list', 'ok', 'cache')).toBe(1);
    expect(requests('mailbox.list', 'SESSION_EXPIRED', 'none')).toBe(1);
    expect(requests('unknown', 'METHOD_NOT_FOUND', 'none')).toBe(1);
    expect(samples.get('imap_broker_request_duration_seconds_count{method="message.list",source="validated"}')).toBe(1);
    expect(samples.get('imap_broker_connections{server="dovecot",state="idle"}')).toBe(1);
    expect(samples.get('imap_broker_sockets{tenant="webmail"}')).toBe(1);
    expect(samples.get('imap_broker_tenant_sockets_limit{tenant="webmail"}')).toBe(500);
    expect(samples.get('imap_broker_sessions{tenant="webmail"}')).toBe(1);
    expect(samples.get('imap_broker_view_confirmations_total{way="select"}')).toBe(1);
    expect(samples.get('imap_broker_view_confirmations_total{way="noop"}')).toBe(1);
    expect(samples.get('imap_broker_views_entries')).toBeGreaterThan(0);
    expect(body).not.toContain(user);
  });

  it('counts requests that are turned away, whose quickness is nobody’s merit', async () => {
    const { url, monitorUrl } = await monitored({ sockets: { pendingRequests: 1 } });
    const client = await RawClient.open(url);
    const user = newUser();
    const asked = ['session.open', 'broker.ping'].map((method) =>
      client
        .request(method, method === 'session.open' ? { server: 'dovecot', user, auth: { password: 'p' } } : {})
        .answer.catch(() => {}),
    );
    await Promise.all(asked);
    const samples = samplesOf((await page(monitorUrl, '/metrics')).body);
    const labels = 'method="broker.ping",outcome="RATE_LIMITED",source="none"';
    expect(samples.get(`imap_broker_requests_total{${labels}}`)).toBe(1);
    expect([...samples.keys()].filter((key) => /duration.*broker\.ping/.test(key))).toEqual([]);
  });
});

describe('/upstreamz', () => {
  it('tells of each server whether it can be reached, or why not; the broker is ready all the same', async () => {
    const own = await Dovecot.start();
    onTestFinished(() => own.stop());
    const { url, monitorUrl } = await monitored({ servers: [own.server()] });
    const upstreamz = () => page(monitorUrl, '/upstreamz');
    const metric = async () =>
      samplesOf((await page(monitorUrl, '/metrics')).body).get('imap_broker_upstream_reached{server="dovecot"}');
    expect(await upstreamz()).toMatchObject({ status: 200, body: 'dovecot: reachable\n' });
    expect(await metric()).toBe(1);
    await own.kill();
    const client = await RawClient.open(url);
    onTestFinished(() => client.close());
    const open = { server: 'dovecot', user: newUser(), auth: { password: PASSWORD } };
    await expect(client.call('session.open', open)).rejects.toThrow();
    await expect
      .poll(upstreamz)
      .toMatchObject({ status: 503, body: expect.stringMatching(/^dovecot: .*ECONNREFUSED/) });
    expect(await metric()).toBe(0);
    expect((await page(monitorUrl, '/readyz')).status).toBe(200);
    expect((await page(monitorUrl, '/healthz')).status).toBe(200);
    await own.run();
    await expect.poll(upstreamz).toMatchObject({ status: 200 });
    expect(await metric()).toBe(1);
  });

  it('is a 503 where one of several servers cannot be reached, and says which', async () => {
    const gone = { ...dovecot.server(), name: 'gone', port: 1 };
    const { monitorUrl } = await monitored({ servers: [gone, dovecot.server()] });
    const { status, body } = await page(monitorUrl, '/upstreamz');
    expect(status).toBe(503);
    expect(body).toMatch(/^gone: connect: .*ECONNREFUSED.*\ndovecot: reachable\n$/);
  });
});

describe('/readyz', () => {
  it('is not ready while the broker drains, and answers until the end', async () => {
    const broker = await monitored();
    const client = await RawClient.open(broker.url);
    const answers: Array<{ status: number; body: string }> = [];
    const asked = new Promise<void>((resolve) => {
      client.onNotification(async ({ method }) => {
        if (method !== 'broker.draining') return;
        answers.push(await page(broker.monitorUrl, '/readyz'), await page(broker.monitorUrl, '/healthz'));
        resolve();
      });
    });
    const login = client.request('session.open', { server: 'dovecot', user: newUser(), auth: { password: 'wrong' } });
    login.answer.catch(() => {});
    // A refusal takes Dovecot its time: until then there is something to wait for.
    const running = async () => samplesOf((await page(broker.monitorUrl, '/metrics')).body);
    await expect.poll(async () => (await running()).get('imap_broker_requests_running{tenant="webmail"}')).toBe(1);
    const drained = broker.drain(10_000);
    await asked;
    await drained;
    expect(answers).toMatchObject([{ status: 503, body: 'not ready: it is about to stop\n' }, { status: 200 }]);
    await expect(page(broker.monitorUrl, '/healthz')).rejects.toThrow('ECONNREFUSED');
  });
});
