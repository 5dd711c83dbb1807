import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { stubBroker } from './stub-broker.js';

const tenants = [
  tenantWith({ name: 'operators', tokenHashes: [hashToken('adm/in+ä')], scopes: ['admin'] }),
  tenantWith({ name: 'shop', tokenHashes: [hashToken('good')] }),
];

function offered(token: string): string[] {
  return ['imap-broker.v1', `imap-broker.token.${Buffer.from(token).toString('base64url')}`];
}

/** A listener that serves a page, and one that does not. */
async function both() {
  const monitor = await stubBroker({ tenants, onRequest: (_request, response) => response.end() });
  const plain = await stubBroker({ tenants, allowedOrigins: ['http://127.0.0.1'] });
  return { monitor, plain };
}

/** What an upgrade as a browser sends it is answered: the status of the refusal, or 101. */
async function status(url: string, token: string, headers: Record<string, string>): Promise<number> {
  const ws = new WebSocket(url, offered(token), { headers });
  ws.on('error', () => {});
  const refused = once(ws, 'unexpected-response').then(([, response]) => response.statusCode as number);
  const opened = once(ws, 'open').then(() => 101);
  const answer = await Promise.race([refused, opened]);
  ws.terminate();
  return answer;
}

const originOf = (url: string) => url.replace('ws:', 'http:');

describe('a token among the subprotocols', () => {
  it('lets an operator in at the listener that serves the page, is not agreed on and in no log line', async () => {
    const { monitor } = await both();
    const headers = { authorization: '', origin: originOf(monitor.url) };
    const client = await monitor.connect({ protocols: offered('adm/in+ä'), headers });
    expect(client.ws.protocol).toBe('imap-broker.v1');
    expect(await client.request('broker.status')).toMatchObject({ result: {} });
    const encoded = offered('adm/in+ä')[1]?.split('.').at(-1) ?? '';
    expect(JSON.stringify(monitor.logged)).not.toMatch(new RegExp(`${encoded}|adm/in`));
    expect([...monitor.listener.all].map(({ id }) => id)).toEqual(['page-1']);
  });

  it('is refused from a page that came from elsewhere, or from none', async () => {
    const { monitor } = await both();
    const host = new URL(monitor.url).host;
    const origins = [
      'http://evil.example',
      'null',
      `http://${host}.evil.example`,
      'http://127.0.0.1:1',
      `ftp://${host}`,
    ];
    for (const origin of origins) expect(await status(monitor.url, 'adm/in+ä', { origin }), origin).toBe(403);
    expect(await status(monitor.url, 'adm/in+ä', {})).toBe(403);
    const rebound = { host: 'evil.example', origin: 'http://evil.example' };
    expect(await status(monitor.url, 'adm/in+ä', rebound)).toBe(403);
    // A proxy that has TLS.
    const proxied = { host: 'broker.internal', origin: 'https://broker.internal' };
    expect(await status(monitor.url, 'adm/in+ä', proxied)).toBe(101);
  });

  it('is refused where it is unknown, and of a tenant without the scope admin', async () => {
    const { monitor } = await both();
    const origin = originOf(monitor.url);
    expect(await status(monitor.url, 'bad', { origin })).toBe(401);
    expect(await status(monitor.url, '', { origin })).toBe(401);
    expect(await status(monitor.url, 'good', { origin })).toBe(403);
    // What is shown in another way counts for nothing there.
    expect(await status(monitor.url, 'bad', { origin, authorization: 'Bearer adm/in+ä' })).toBe(401);
  });

  it('is refused at every other listener, whatever else is shown', async () => {
    const { plain } = await both();
    const origin = 'http://127.0.0.1';
    expect(await status(plain.url, 'adm/in+ä', { origin, authorization: '' })).toBe(401);
    expect(await status(plain.url, 'good', { authorization: 'Bearer good' })).toBe(401);
  });
});
