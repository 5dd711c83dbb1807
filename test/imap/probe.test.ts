import { createServer } from 'node:net';
import { createSecureContext } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { probe } from '../../src/imap/connection/probe.js';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import { startScriptedServer } from '../support/scripted-server.js';
import { upstream } from '../support/upstream.js';
import { scripted } from './scripted.js';

/** The steps to a server without a login, in so many milliseconds: `step` where it was taken, what is wrong where not. */
async function stepsTo(server: ServerOptions, withinMs = 5_000): Promise<string[]> {
  const steps = await probe(server, undefined, Date.now() + withinMs);
  return steps.map(({ step, ok, detail }) => (ok ? step : `${step}: ${detail}`));
}

describe('a server that can be reached', () => {
  it.each([
    ['none', ['CAPABILITY', 'LOGOUT'], ['dns', 'connect', 'greeting', 'capabilities']],
    ['implicit', ['CAPABILITY', 'LOGOUT'], ['dns', 'connect', 'tls', 'greeting', 'capabilities']],
    ['starttls', ['STARTTLS', 'CAPABILITY', 'LOGOUT'], ['dns', 'connect', 'greeting', 'tls', 'capabilities']],
  ] as const)('is asked what it can and nobody logs in: TLS %s', async (tls, commands, steps) => {
    const server = await scripted({ tls });
    expect(await stepsTo(server.server())).toEqual(steps);
    await expect.poll(() => server.names()).toEqual(commands);
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it('may greet in pieces, and those who need no login', async () => {
    const server = createServer((socket) => {
      socket.write('* PREA', () => setImmediate(() => socket.write('UTH hello\r\na OK nothing to tell\r\n')));
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expect((await stepsTo(upstream('pieces', port, { tls: 'none' }))).at(-1)).toBe('capabilities');
  });
});

describe('a server that cannot be reached is told with the reason', () => {
  const last = async (server: ServerOptions, withinMs?: number) => (await stepsTo(server, withinMs)).at(-1);

  it('when it says goodbye at once, or speaks something else', async () => {
    for (const line of ['* BYE too busy', 'HTTP/1.1 400 Bad Request']) {
      const server = await scripted({ greeting: line });
      expect(await last(server.server())).toBe(`greeting: not a greeting: ${line}`);
    }
  });

  it('when it is silent, as a stopped one is', async () => {
    const server = await scripted({ greeting: null });
    expect(await last(server.server(), 100)).toMatch(
      /^greeting: no answer within \d+ ms \(the port may begin with TLS: .*\)$/,
    );
    await expect.poll(() => server.connections.size).toBe(0);
  });

  it.each(['implicit', 'starttls'] as const)('when it shows a certificate that nobody vouches for: %s', async (tls) => {
    const server = await scripted({ tls });
    expect(await last(server.server({ secureContext: createSecureContext() }))).toMatch(/^tls: .*certificate/);
  });

  it('when it is not there, or closes without a word', async () => {
    const server = await startScriptedServer({ greeting: null, onConnect: (connection) => connection.reset() });
    expect(await last(server.server())).toMatch(/ECONNRESET|the server closed the connection/);
    await server.close();
    expect(await last(server.server())).toMatch(/^connect: .*ECONNREFUSED/);
  });
});
