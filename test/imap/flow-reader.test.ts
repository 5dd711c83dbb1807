import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { ImapFlow } from 'imapflow';
import { describe, expect, it, vi } from 'vitest';
import { fetchRows } from '../../src/imap/fetch-rows.js';
import { flowOptions } from '../../src/imap/flow-options.js';
import { installFlowReader } from '../../src/imap/flow-reader.js';
import { atom, numberOf, rawExec } from '../../src/imap/raw-exec.js';
import { upstream } from '../support/upstream.js';
import { alice, opened, scripted } from './scripted.js';

interface Inside {
  streamer: { write(chunk: Buffer, done: () => void): boolean; destroy(): void; readBytesCounter: number };
  setEventHandlers(): void;
  handleResponse(data: unknown): Promise<boolean>;
  getUntaggedHandler(command: string, attributes: unknown[]): (response: unknown) => unknown;
}

/** What came out of a connection that was given these chunks, and how many responses imapflow itself had to read. */
async function read(chunks: readonly Buffer[], install: boolean) {
  const quiet = { warn: () => {}, error: () => {} };
  const flow = new ImapFlow(flowOptions('1', upstream('none', 1), alice, quiet));
  flow.on('error', () => {});
  const inside = flow as unknown as Inside;
  const seen: unknown[] = [];
  const slow = vi.spyOn(inside, 'handleResponse');
  inside.setEventHandlers();
  inside.getUntaggedHandler = (command) => async (response) => {
    // Some need time: what is behind must wait.
    if (command.endsWith('7')) await new Promise((resolve) => setImmediate(resolve));
    seen.push(response);
  };
  if (install) installFlowReader(flow);
  for (const chunk of chunks) await new Promise<void>((resolve) => inside.streamer.write(chunk, resolve));
  await vi.waitFor(() => expect(seen).toContainEqual(expect.objectContaining({ command: 'BYE' })));
  const bytes = inside.streamer.readBytesCounter;
  inside.streamer.destroy();
  return { seen, slow: slow.mock.calls.length, bytes };
}

const end = '* BYE\r\n';
const row = (number: number, ...items: string[]) => `* ${number} FETCH (UID ${number} ${items.join(' ')})\r\n`;
const withLiteral = (octets: string) => `BODY[1] {${Buffer.byteLength(octets)}}\r\n${octets}`;

function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const at = [0, ...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return at.map((from, index) => bytes.subarray(from, at[index + 1] ?? bytes.length));
}

describe('the short way of FETCH, LIST and STATUS responses', () => {
  it('is taken by them, with what belongs to them, and not by other responses', async () => {
    const text = [
      row(1, 'FLAGS (\\Seen)'),
      row(2, withLiteral('a\r\n* 5 FETCH (b)\r\n')),
      '* 5 EXISTS\r\n',
      row(3, 'FLAGS ()'),
      '* LIST () "/" {3}\r\na b\r\n',
      '* STATUS "a b" (MESSAGES 1)\r\n',
      '* LSUB () "/" a\r\n',
      end,
    ];
    const { seen, slow } = await read(
      text.map((one) => Buffer.from(one)),
      true,
    );
    expect(seen).toHaveLength(8);
    expect(slow).toBe(3);
  });

  it('leads to the same responses in the same order wherever the octets are cut', async () => {
    const response = fc.oneof(
      fc.nat({ max: 99 }).map((number) => row(number, 'FLAGS (\\Seen)', 'X "a{3}"')),
      fc.tuple(fc.nat({ max: 99 }), fc.string()).map(([number, octets]) => row(number, withLiteral(octets))),
      fc.tuple(fc.nat({ max: 9 }), fc.string()).map(([n, octets]) => row(n, withLiteral(octets), withLiteral('x'))),
      fc.constantFrom('* 7 EXISTS\r\n', '* 8 EXPUNGE\r\n', '* OK hello\r\n', '* FLAGS (a b)\r\n', '\r\n'),
      fc.constantFrom('* 1 FETCH (FLAGS (\\Seen\\Deleted))\r\n', '* 2 FETCH\r\n', '* 2 FETCH (1:2)\r\n'),
      fc.constantFrom(
        '* 3 FETCH (UID 5)\n',
        '* LIST () "/" {3}\r\na b\r\n',
        '* STATUS a (X 1)\r\n',
        '* 4 FETCH (A {2}\nab B "c")\n',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(response, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 }), async (all, at) => {
        const text = all.join('') + end;
        const [quick, plain] = [await read(cut(text, at), true), await read(cut(text, at), false)];
        expect(quick.seen).toEqual(plain.seen);
        expect(quick.bytes).toBe(plain.bytes);
        expect(quick.slow).toBeLessThanOrEqual(plain.slow);
      }),
      { numRuns: 300 },
    );
  });

  it('is not for very large responses and lines, which go through all the same', async () => {
    const text = [
      row(1, withLiteral('x'.repeat(500_000)), withLiteral('y'.repeat(500_000))),
      row(2, withLiteral('x'.repeat(600_000)), withLiteral('y'.repeat(600_000))),
      row(3, 'FLAGS ()'),
      row(4, `X "${'y'.repeat(70_000)}"`),
      end,
    ];
    const octets = Buffer.from(text.join(''));
    const chunks = Array.from({ length: Math.ceil(octets.length / 1000) }, (_, at) =>
      octets.subarray(at * 1000, at * 1000 + 1000),
    );
    const [quick, plain] = [await read(chunks, true), await read(chunks, false)];
    // Of so many octets the platform's comparison is quicker.
    expect(isDeepStrictEqual(quick.seen, plain.seen)).toBe(true);
    expect(quick.slow).toBeLessThanOrEqual(4);
    expect(quick.bytes).toBe(octets.length);
  });
});

describe('a connection', () => {
  it('answers what the server says in pieces, and what it says unasked', async () => {
    const server = await scripted({
      exists: 3,
      on: {
        'UID FETCH': (command, client) => {
          client.send('* 1 FETCH (FLAGS (\\Seen))', '* 4 EXISTS', '* 2 FETCH (UID 12 FLAGS (\\Flagged))');
          client.raw('* 3 FETCH (UID 13 FL');
          setImmediate(() => {
            client.raw('AGS ())\r\n');
            client.ok(command);
          });
        },
      },
    });
    const connection = await opened(server);
    await connection.select('INBOX');
    const rows = await fetchRows(connection, '1:*', [atom('FLAGS')], 'uid');
    expect(rows.map(({ uid }) => uid)).toEqual([12, 13]);
    expect(connection.selected?.exists).toBe(4);
  });

  it('still refuses a literal over its limit', async () => {
    const server = await scripted({
      exists: 1,
      on: {
        'UID FETCH': (command, client) => {
          client.raw(`* 1 FETCH (UID 1 BODY[] {2000}\r\n${'x'.repeat(2000)})\r\n`);
          client.ok(command);
        },
      },
    });
    const connection = await opened(server, { maxLiteralBytes: 1000 });
    await connection.select('INBOX');
    await expect(fetchRows(connection, '1', [], 'uid')).rejects.toMatchObject({ kind: 'TOO_LARGE' });
    expect(connection.usable).toBe(false);
  });

  it('still ends at a row that nobody can read', async () => {
    const server = await scripted({
      exists: 2,
      on: {
        'UID FETCH': (command, client) => {
          client.send('* 1 FETCH (UID 1 FLAGS ())', '* 2 FETCH (UID 2 FLAGS (]))');
          client.ok(command);
        },
      },
    });
    const connection = await opened(server);
    await connection.select('INBOX');
    await expect(fetchRows(connection, '1:2', [], 'uid')).rejects.toMatchObject({ kind: 'CONNECTION_LOST' });
  });

  it('goes on behind a handler that throws, and tells what it threw', async () => {
    const server = await scripted({
      exists: 2,
      on: {
        TEST: (command, client) => {
          client.send('* 1 FETCH (UID 1)', '* 2 FETCH (UID 2)');
          client.ok(command);
        },
      },
    });
    const connection = await opened(server);
    const seen: unknown[] = [];
    const failing = rawExec(connection, 'read', 'TEST', [], {
      FETCH: ({ command }) => {
        seen.push(numberOf(atom(command)));
        throw new RangeError('not mine');
      },
    });
    await expect(failing).rejects.toThrow('not mine');
    expect(seen).toEqual([1]);
    await connection.noop();
  });
});
