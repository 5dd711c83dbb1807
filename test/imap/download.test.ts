import { describe, expect, it } from 'vitest';
import { beginDownload, download } from '../../src/imap/messages/download.js';
import type { ScriptedHandler } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

const KIB = 1024;
const content = Buffer.from(Array.from({ length: 3000 * KIB }, (_, at) => (at * 7 + (at >> 9)) & 0xff));
const structure = '("APPLICATION" "PDF" NIL NIL NIL "BASE64" 8 NIL NIL NIL NIL)';

/** Answers as a server does that has one message with this content. */
const fetching: ScriptedHandler = (command, client) => {
  const [, start = 0, length = 0] = /BODY\.PEEK\[1\]<(\d+)\.(\d+)>/.exec(command.args) ?? [];
  const octets = content.subarray(Number(start), Number(start) + Number(length));
  client.raw('* 1 FETCH (UID 1');
  if (command.args.includes('BODYSTRUCTURE')) client.raw(` BODYSTRUCTURE ${structure}`);
  if (command.args.includes('PEEK')) {
    client.raw(` BODY[1]<${start}> {${octets.length}}\r\n`);
    client.raw(octets);
  }
  client.raw(')\r\n');
  client.ok(command);
};

async function serving(answer = fetching) {
  const server = await scripted({ exists: 1, on: { 'UID FETCH': answer } });
  const connection = await opened(server);
  await connection.select('INBOX');
  const ranges = () =>
    server.received.flatMap((line) => {
      const [, start, length] = /<(\d+)\.(\d+)>/.exec(line) ?? [];
      return start === undefined ? [] : [[Number(start) / KIB, Number(length) / KIB]];
    });
  return { server, connection, ranges };
}

describe('a download', () => {
  it('of which more comes than there is ends with an error, not with bytes of what is behind it', async () => {
    const { connection } = await serving();
    const read = async (total: number) => {
      let bytes = 0;
      for await (const piece of download(connection, 1, '1', { total })) bytes += piece.length;
      return bytes;
    };
    expect(await read(content.length)).toBe(content.length);
    await expect(read(content.length - 1)).rejects.toMatchObject({ kind: 'IMAP_NO', field: 'part' });
    expect(connection.quiet).toBe(true);
  });

  it('has its first piece with what the part is', async () => {
    const { connection, ranges } = await serving();
    const { row, begun } = await beginDownload(connection, 1, '1', 'BODYSTRUCTURE');
    expect(row.items.has('BODYSTRUCTURE')).toBe(true);
    const pieces: Buffer[] = [];
    for await (const piece of download(connection, 1, '1', { begun })) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    expect(ranges()[0]).toEqual([0, 256]);
    expect(ranges()[1]).toEqual([256, 256]);
    expect(begun).toEqual([]);
  });

  it('begins by itself where the server refuses to send a part that may not be there', async () => {
    const { connection, ranges } = await serving((command, client) => {
      if (command.args.includes('BODYSTRUCTURE') && command.args.includes('PEEK')) client.bad(command, 'One by one');
      else fetching(command, client);
    });
    const { row, begun } = await beginDownload(connection, 1, '1', 'BODYSTRUCTURE');
    expect(row.items.has('BODYSTRUCTURE')).toBe(true);
    let length = 0;
    for await (const piece of download(connection, 1, '1', { begun })) length += piece.length;
    expect(length).toBe(content.length);
    expect(ranges().slice(0, 2)).toEqual([
      [0, 256],
      [0, 256],
    ]);
  });

  it('is whole wherever its octets are cut on the way, and with other responses around it', async () => {
    const size = 70 * KIB;
    let cuts = 0;
    const { connection } = await serving((command, client) => {
      const [, start = 0] = /BODY\.PEEK\[1\]<(\d+)\./.exec(command.args) ?? [];
      const octets = content.subarray(Number(start), size);
      const head = `* 1 EXISTS\r\n* 1 FETCH (UID 1 BODY[1]<${start}> {${octets.length}}\r\n`;
      const answer = Buffer.concat([
        Buffer.from(head),
        octets,
        Buffer.from(` FLAGS ())\r\n* 1 EXISTS\r\n${command.tag} OK Done\r\n`),
      ]);
      const step = [1021, 16_384, 65_536, octets.length + head.length][cuts++ % 4] ?? 1;
      const send = (from: number) => {
        client.raw(answer.subarray(from, from + step));
        if (from + step < answer.length) setImmediate(send, from + step);
      };
      send(0);
    });
    for (let count = 0; count < 8; count += 1) {
      const pieces: Buffer[] = [];
      for await (const piece of download(connection, 1, '1')) pieces.push(Buffer.from(piece));
      expect(Buffer.concat(pieces).equals(content.subarray(0, size))).toBe(true);
    }
  });

  it('uses the memory of pieces again that nobody needs, and no other', async () => {
    const { connection } = await serving();
    const memory = new Set<ArrayBufferLike>();
    const copies: Buffer[] = [];
    for await (const piece of download(connection, 1, '1', { from: 5, reuse: true })) {
      copies.push(Buffer.from(piece));
      memory.add(piece.buffer);
      // As base64 is decoded: in its place.
      piece.fill(0);
    }
    expect(Buffer.concat(copies).equals(content.subarray(5))).toBe(true);
    expect(memory.size).toBeLessThan(copies.length);
  });

  it('asks for larger pieces while its reader waits for them, and leaves its connection quiet when it is given up', async () => {
    const { connection, ranges } = await serving();
    const pieces = download(connection, 1, '1', { reuse: true });
    await pieces.next();
    // The second cannot be there yet: its octets need turns of the loop.
    await pieces.next();
    await pieces.return();
    expect(ranges()).toEqual([
      [0, 256],
      [256, 256],
      [512, 512],
    ]);
    expect(connection.quiet).toBe(true);
  });
});
