import { createServer } from 'node:net';
import { createSecureContext } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { greeting } from '../../src/imap/greeting.js';
import { startScriptedServer } from '../support/scripted-server.js';
import { upstream } from '../support/upstream.js';
import { scripted } from './scripted.js';

const SOON_MS = 5_000;

describe('a server that can be reached', () => {
  it.each(['none', 'implicit', 'starttls'] as const)('greets, and hears nothing but a goodbye: TLS %s', async (tls) => {
    const server = await scripted({ tls });
    await greeting(server.server(), SOON_MS);
    await expect.poll(() => server.names()).toEqual(['LOGOUT']);
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('may greet in pieces, and those who need no login', async () => {
    const server = createServer((socket) => {
      socket.write('* PREA', () => setImmediate(() => socket.write('UTH hello\r\n')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    await greeting(upstream('pieces', port, { tls: 'none' }), SOON_MS);
  });
});

describe('a server that cannot be reached is told with the reason', () => {
  it('when it says goodbye at once, or speaks something else', async () => {
    for (const line of ['* BYE too busy', 'HTTP/1.1 400 Bad Request']) {
      const server = await scripted({ greeting: line });
      await expect(greeting(server.server(), SOON_MS)).rejects.toThrow(`it says: ${line}`);
    }
  });

  it('when it is silent, as a stopped one is', async () => {
    const server = await scripted({ greeting: null });
    await expect(greeting(server.server(), 50)).rejects.toThrow('no greeting within 50 ms');
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('when it shows a certificate that nobody vouches for', async () => {
    const server = await scripted({ tls: 'implicit' });
    const wary = server.server({ secureContext: createSecureContext() });
    await expect(greeting(wary, SOON_MS)).rejects.toThrow(/certificate/);
  });

  it('when it is not there, or closes without a word', async () => {
    const server = await startScriptedServer({ greeting: null, onConnect: (connection) => connection.reset() });
    await expect(greeting(server.server(), SOON_MS)).rejects.toThrow(/ECONNRESET|without a greeting/);
    await server.close();
    await expect(greeting(server.server(), SOON_MS)).rejects.toThrow('ECONNREFUSED');
  });
});
