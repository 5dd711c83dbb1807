import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Broker } from '../../src/broker/broker.js';
import { subprotocol } from '../../src/protocol/limits.js';
import { createLog } from '../../src/runtime/log/log.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { certificates } from '../support/certificates.js';
import { freePorts } from '../support/ports.js';
import { TOKEN } from '../support/running-broker.js';
import { unpacked } from '../support/unpacked.js';
import { upstream } from '../support/upstream.js';
import { waitFor } from '../support/wait-for.js';

const NAME = 'broker.example.com';
const ADMIN = 'a-token-of-an-operator-for-tests';
const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const [, snippet = ''] = /^```nginx\n([\s\S]*?)^```$/m.exec(operations) ?? [];
// Debian's begins to serve when it is installed: so it is unpacked only.
const { program, env } = unpacked('nginx', 'usr/sbin/nginx');

const folder = mkdtempSync(join(tmpdir(), 'imap-broker-proxy-'));
const at = (name: string) => join(folder, name);
let broker: Broker;
let nginx: ChildProcess;
let monitorPort = 0;
let clientsPort = 0;

/** A server of the snippet, with what an operator fills in. */
function filledIn(port: number, upstreamUrl: string): string {
  const replacements: Array<[string, string]> = [
    ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
    [`/etc/ssl/${NAME}.crt`, at('cert.pem')],
    [`/etc/ssl/${NAME}.key`, at('key.pem')],
    ['proxy_pass http://127.0.0.1:7144;', `proxy_pass ${upstreamUrl};`],
  ];
  return replacements.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, snippet);
}

afterAll(async () => {
  if (nginx?.exitCode === null) {
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
  }
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Upgrade {
  port: number;
  host?: string;
  protocols?: string[];
  headers?: Record<string, string>;
}

/** How an upgrade through the proxy is answered: the HTTP status. */
async function upgraded({ port, host = `${NAME}:${port}`, protocols = [], headers = {} }: Upgrade): Promise<number> {
  const { ca } = certificates();
  const options = { ca, servername: 'localhost', headers: { host, ...headers } };
  const ws = new WebSocket(`wss://127.0.0.1:${port}/`, [subprotocol, ...protocols], options);
  return await new Promise((resolve, reject) => {
    ws.once('upgrade', ({ statusCode = 0 }) => resolve(statusCode));
    ws.once('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
    ws.once('error', reject);
  }).then((status) => {
    ws.on('error', () => {});
    ws.terminate();
    return status as number;
  });
}

/** What the page of the monitor sends, from an origin of its own. */
function fromPage(port: number, origin = `https://${NAME}:${port}`): Upgrade {
  const token = `imap-broker.token.${Buffer.from(ADMIN).toString('base64url')}`;
  return { port, protocols: [token], headers: { origin } };
}

describe('nginx as docs/operations.md has it', () => {
  beforeAll(async () => {
    broker = await Broker.start({
      listeners: [{ unix: at('clients.sock') }],
      monitor: { host: '127.0.0.1', port: 0 },
      tenants: [
        tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
        tenantWith({ name: 'anna-of-operations', tokenHashes: [hashToken(ADMIN)], scopes: ['admin'] }),
      ],
      servers: [upstream('main', 1)],
      allowedHosts: [NAME],
      log: createLog('silent'),
    });
    [monitorPort = 0, clientsPort = 0] = await freePorts(2);
    const { cert, key } = certificates();
    writeFileSync(at('cert.pem'), cert);
    writeFileSync(at('key.pem'), key);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${at(name)};`,
    );
    writeFileSync(
      at('nginx.conf'),
      `daemon off; ${process.getuid?.() === 0 ? 'user root;' : ''} pid ${at('pid')}; error_log ${at('error.log')}; events {}
      http { access_log ${at('access.log')}; ${temporary.join(' ')}
      ${filledIn(monitorPort, broker.monitorUrl ?? '')}
      ${filledIn(clientsPort, `http://unix:${at('clients.sock')}`)} }`,
    );
    nginx = spawn(program, ['-c', at('nginx.conf'), '-p', folder, '-e', at('error.log')], { stdio: 'ignore', env });
    await waitFor(() => upgraded({ port: monitorPort }));
  });

  it('lets operators in at the page, and no page from elsewhere', async () => {
    expect(await upgraded(fromPage(monitorPort))).toBe(101);
    expect(await upgraded(fromPage(monitorPort, 'https://elsewhere.example'))).toBe(403);
    expect(await upgraded({ ...fromPage(monitorPort), host: 'elsewhere.example' })).toBe(403);
  });

  it('lets web applications in with their token, under the name that is allowed', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect(await upgraded({ port: clientsPort, headers })).toBe(101);
    expect(await upgraded({ port: clientsPort })).toBe(401);
    expect(await upgraded({ port: clientsPort, headers, host: 'elsewhere.example' })).toBe(403);
  });

  it('writes no token into its log', async () => {
    expect(await upgraded(fromPage(monitorPort))).toBe(101);
    await expect.poll(() => readFileSync(at('access.log'), 'utf8')).toContain('" 101 ');
    expect(readFileSync(at('access.log'), 'utf8')).not.toMatch(/imap-broker\.token/);
  });
});
