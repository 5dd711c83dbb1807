import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { builtProgram } from '../cli/built.js';
import type { HostileCase } from '../hostile/case.js';
import { everyRequest } from '../hostile/every-request.js';
import { runCase } from '../hostile/run-case.js';
import { HostileArena } from './hostile-arena.js';
import { repeated, said } from './hostile-bytes.js';
import { type Hostility, startHostileServer } from './hostile-imap.js';

const MIB = 1024 * 1024;
const everything = 'ESEARCH SORT THREAD=REFERENCES QUOTA CONDSTORE QRESYNC';
const harmless: HostileCase[] = (
  [
    ['plain', {}],
    ['tls', { tls: 'implicit' }],
    ['starttls', { tls: 'starttls' }],
    ['extensions', { offers: everything }],
  ] as [string, Hostility][]
).map(([name, server]) => ({ name, about: name, server, steps: everyRequest }));

describe('a hostile server with nothing hostile about it', () => {
  let arena: HostileArena;
  beforeAll(async () => {
    arena = await HostileArena.start(builtProgram(), new Map(harmless.map(({ name, server }) => [name, server])));
  }, 60_000);
  afterAll(() => arena?.stop());

  it.each(harmless)('serves its mailbox: $name', async (one) => {
    const { problems, outcomes, healthy } = await runCase(arena, one);
    expect(problems).toEqual([]);
    expect(outcomes).toHaveLength(everyRequest.length + 1);
    expect(healthy).toMatchObject({ failed: 0 });
    expect(healthy.asked).toBeGreaterThan(3);
  });

  it('is told apart from one whose answers are not as they should be', async () => {
    const wrong: HostileCase = {
      ...(harmless[0] as HostileCase),
      steps: [{ method: 'message.list', params: { mailbox: 'INBOX' }, ends: ['IMAP_NO'] }],
    };
    const { problems } = await runCase(arena, wrong);
    expect(problems).toEqual(['message.list ended with result (), not with IMAP_NO']);
  });
});

describe('the stream of a hostile server', () => {
  it('waits for a client that does not read, and ends with its connection', async () => {
    const server = await startHostileServer({ greeting: repeated('* OK hello\r\n', 40 * MIB) });
    onTestFinished(() => server.close());
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'readable');
    const over = server.settled().then(() => 'over');
    // A few turns later than the kernel's buffers are full.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await Promise.race([over, 'still under way'])).toBe('still under way');
    socket.destroy();
    expect(await over).toBe('over');
  });

  it('carries exactly what it is told to', async () => {
    const server = await startHostileServer({ greeting: repeated('abcde', 1_000_001) });
    onTestFinished(() => server.close());
    const socket = connect(server.port, '127.0.0.1');
    let bytes = 0;
    let ends = '';
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      ends = `${ends}${chunk.subarray(-5)}`.slice(-5);
    });
    await once(socket, 'data');
    await server.settled();
    await expect.poll(() => bytes).toBe(5_000_005);
    expect(ends).toBe('abcde');
    expect(Buffer.concat([...said('a', 'b')()]).toString()).toBe('ab');
    socket.destroy();
  });
});
