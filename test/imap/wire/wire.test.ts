import { describe, expect, it } from 'vitest';
import { beginIdle } from '../../../src/imap/mailboxes/idle.js';
import { FETCH_BATCH, fetchRange, fetchSummaries } from '../../../src/imap/messages/fetch.js';
import { fetchRows } from '../../../src/imap/messages/fetch-rows.js';
import { searchSet } from '../../../src/imap/messages/search/search.js';
import type { Carrier } from '../../../src/imap/wire/carrier.js';
import { wireLimits } from '../../../src/imap/wire/limits.js';
import { MailboxEncoding } from '../../../src/imap/wire/mailbox-encoding.js';
import type { UntaggedResponse } from '../../../src/imap/wire/response.js';
import { atom, literal, sequence } from '../../../src/imap/wire/tokens.js';
import { turnBudget } from '../../../src/imap/wire/turn-budget.js';
import { Wire } from '../../../src/imap/wire/wire.js';
import type { BrokerError } from '../../../src/protocol/errors.js';
import type { ScriptedHandler, ScriptedOptions } from '../../support/scripted-server.js';
import { opened, received, scripted } from '../scripted.js';

async function connected(options: ScriptedOptions = {}, selected = true) {
  const server = await scripted(options);
  const connection = await opened(server);
  if (selected) await connection.select('INBOX');
  return { server, connection };
}

describe('commands', () => {
  it('go out one behind the answer of the other', async () => {
    const { server, connection } = await connected({ on: { A: hold, B: hold } });
    const a = connection.exec('read', 'A');
    const b = connection.exec('read', 'B');
    await received(server, 'A');
    expect(server.names()).not.toContain('B');
    release();
    await a;
    await received(server, 'B');
    release();
    await b;
    expect(connection.quiet).toBe(true);
  });

  it('that are sent together may be answered in any order', async () => {
    const held: Parameters<ScriptedHandler>[0][] = [];
    const together: ScriptedHandler = (command, peer) => {
      held.push(command);
      if (held.length === 2) for (const one of held.reverse()) peer.ok(one, one.name);
    };
    const { connection } = await connected({ on: { A: together, B: together } });
    const both = connection.together(() => [connection.exec('read', 'A'), connection.exec('read', 'B')]);
    expect((await Promise.all(both)).map(({ text }) => text)).toEqual(['A', 'B']);
  });

  it.each([
    ['waits for the server', 'IMAP4rev1 SASL-IR AUTH=PLAIN', 5000, '{5000}'],
    ['goes out at once with LITERAL+', 'IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+', 5000, '{5000+}'],
    ['goes out at once with LITERAL- if it is small', 'IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL-', 4096, '{4096+}'],
    ['waits with LITERAL- if it is not', 'IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL-', 4097, '{4097}'],
    ['may be empty', 'IMAP4rev1 SASL-IR AUTH=PLAIN', 0, '{0}'],
  ])('with a literal: it %s', async (_name, capabilities, octets, marker) => {
    const { server, connection } = await connected({ capabilities, on: { TEST: (c, peer) => peer.ok(c) } });
    await connection.exec('read', 'TEST', [literal('x'.repeat(octets)), atom('END')]);
    expect(server.received.at(-1)?.split(' TEST ')[1]).toBe(`${marker}\r\n${'x'.repeat(octets)} END`);
  });

  it('whose literal the server refuses are refused, and the next one is sent', async () => {
    const { connection } = await connected({
      onLiteral: (command, peer) => {
        peer.dropCommand();
        peer.no(command, '[TOOBIG] no');
      },
    });
    const refused = connection.exec('write', 'APPEND', [atom('INBOX'), literal('x'.repeat(10))]);
    await expect(refused).rejects.toMatchObject({ kind: 'IMAP_NO', imap: { code: 'TOOBIG' } });
    await connection.noop();
  });

  it.each<[string, (ask: Awaited<ReturnType<typeof connected>>['connection']) => Promise<unknown>]>([
    ['FETCH', (connection) => fetchRange(connection, '1', 'uid', ['flags'])],
    ['a NOOP', (connection) => connection.noop()],
    ['a write', (connection) => connection.exec('write', 'UID FETCH', [sequence('1'), atom('FLAGS')])],
  ])('that are throttled tell at once how long to wait: %s', async (_name, ask) => {
    const { server, connection } = await connected({ exists: 1 });
    const throttle = 'Request is throttled. Suggested Backoff Time: 92415 milliseconds';
    for (const name of ['UID FETCH', 'NOOP']) server.on[name] = (command, peer) => peer.bad(command, throttle);
    await expect(ask(connection)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      executed: 'no',
      retryAfterMs: 92_415,
    });
    await connection.exec('read', 'CHECK');
    expect(connection.quiet).toBe(true);
  });
});

/** Commands that a scripted server has not answered yet. */
let release = () => {};
const hold: ScriptedHandler = (command, peer) => {
  release = () => peer.ok(command);
};

describe('reading', () => {
  const most = 2_000_000;

  it.each([
    ['a short response', '* 3 EXISTS\r\n'],
    ['one byte of a line', 'x'],
  ])('stops for the turn when its time is spent, also where each read brings %s', async (_name, text) => {
    const { wire, carrier, resumed } = readingWire();
    const bytes = Buffer.from(text);
    let reads = 1;
    while (reads < most && carrier.onBytes(bytes)) reads += 1;
    expect(reads).toBeLessThan(most);
    await resumed();
    expect(carrier.onBytes(bytes)).toBe(true);
    expect(wire.ended).toBe(false);
    wire.close();
  });

  it('of a long response goes on in the next turn, when the memory that it came in has other content', async () => {
    const responses: UntaggedResponse[] = [];
    const { wire, carrier, resumed } = readingWire((response) => responses.push(response));
    const hits = Array.from({ length: 2_000 }, (_, index) => index + 1);
    const memory = Buffer.from(`* SEARCH ${hits.join(' ')}\r\n`);
    turnBudget.begin();
    while (!turnBudget.spent);
    expect(carrier.onBytes(memory)).toBe(false);
    expect(responses).toEqual([]);
    memory.fill('9');
    await resumed();
    expect(responses.map(({ keyword, numbers }) => [keyword, numbers])).toEqual([['SEARCH', hits]]);
    wire.close();
  });
});

/** A wire whose carrier is the test, what the wire has written, and a wait until it wants more bytes. */
function readingWire(onUntagged: (response: UntaggedResponse) => void = () => {}, onInput = () => {}) {
  let onResume = () => {};
  const written: string[] = [];
  const nothing = () => {};
  const carrier: Carrier = {
    onBytes: () => true,
    onEnd: nothing,
    write: (piece) => void written.push(piece.toString()),
    cork: nothing,
    uncork: nothing,
    resume: () => onResume(),
    close: nothing,
  };
  const options = { maxLiteralBytes: wireLimits.lineBytes, names: new MailboxEncoding(false), eagerLiterals: 0 };
  const listener = {
    onInput,
    onUntagged,
    onUnreadable: nothing,
    onCommand: nothing,
    onRoundTrip: nothing,
    onEnd: nothing,
  };
  const wire = new Wire(carrier, options, listener);
  const resumed = () =>
    new Promise<void>((resolve) => {
      onResume = resolve;
    });
  return { wire, carrier, resumed, written };
}

describe('rows', () => {
  it('are asked for 200 at a time, for a long FETCH cannot be stopped', async () => {
    const { server, connection } = await connected({ exists: 450 });
    const uids = Array.from({ length: 450 }, (_, index) => index + 1);
    await fetchSummaries(connection, uids, ['flags']);
    const sets = server.received.filter((line) => / UID FETCH /.test(line)).map((line) => line.split(' ')[3] ?? '');
    expect(sets.map((set) => set.split(',').length)).toEqual([200, 200, 50]);
    expect(FETCH_BATCH).toBeLessThanOrEqual(200);
  });

  it('come in pieces, with what the server says unasked in between', async () => {
    const { connection } = await connected({
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
    const rows = await fetchRows(connection, '1:*', [atom('FLAGS')], 'uid');
    expect(rows.map(({ uid }) => uid)).toEqual([12, 13]);
    expect(connection.selected?.exists).toBe(4);
  });

  it('that cannot be read say so, and cost no other row', async () => {
    const { connection } = await connected({
      exists: 3,
      on: {
        'UID FETCH': (command, client) => {
          client.send('* 1 FETCH (UID 1 RFC822.SIZE 5 FLAGS ())', '* 2 FETCH (UID 2 RFC822.SIZE 6 FLAGS (');
          client.send('* 3 FETCH (UID 3 RFC822.SIZE 7 FLAGS (\\Seen))', `${command.tag} OK done`);
        },
      },
    });
    const told: unknown[] = [];
    connection.onUnreadable = (what) => told.push(what);
    expect(await fetchRange(connection, '1:3', 'uid', ['size', 'flags'])).toEqual([
      { uid: 1, size: 5, flags: [] },
      { uid: 2, size: 6, flags: [], unreadable: ['flags'] },
      { uid: 3, size: 7, flags: ['\\Seen'] },
    ]);
    expect(told).toEqual([{ mailbox: 'INBOX', response: 'FETCH', uid: 2, items: ['FLAGS'] }]);
    expect(connection.usable).toBe(true);
  });

  it('have the flags that the server told last', async () => {
    const { connection } = await connected({
      exists: 1,
      on: {
        'UID FETCH': (command, client) => {
          client.send('* 1 FETCH (UID 1 RFC822.SIZE 5 FLAGS ())', '* 1 FETCH (UID 1 FLAGS (\\Seen))');
          client.ok(command);
        },
      },
    });
    expect(await fetchRange(connection, '1', 'uid', ['size', 'flags'])).toEqual([
      { uid: 1, size: 5, flags: ['\\Seen'] },
    ]);
  });
});

describe('a response that cannot be read', () => {
  it('is told by its keyword, which is cut: a server may make it as long as a line', async () => {
    const { connection } = await connected({
      on: { CHECK: (command, peer) => peer.send(`* ${'X'.repeat(100_000)} "cut`, `${command.tag} OK done`) },
    });
    const told: number[] = [];
    connection.onUnreadable = ({ response }) => told.push(response.length);
    await connection.exec('read', 'CHECK');
    expect(told).toEqual([wireLimits.textBytes]);
    expect(connection.usable).toBe(true);
  });

  it.each([
    ['a refusal without a tag', (_tag: string) => `BAD ${'x'.repeat(100_000)}`, 'IMAP_NO'],
    ['a status that is none', (tag: string) => `${tag} ${'x'.repeat(100_000)}`, 'CONNECTION_LOST'],
  ])('has no more words in the error than people read: %s', async (_name, answer, kind) => {
    const { connection } = await connected({ on: { CHECK: (command, peer) => peer.send(answer(command.tag)) } });
    const error = await connection.exec('read', 'CHECK').catch((failure: BrokerError) => failure);
    expect(error).toMatchObject({ kind });
    const { message, cause, imap } = error as BrokerError;
    for (const text of [message, String(cause ?? ''), imap?.text ?? ''])
      expect(text.length).toBeLessThan(2 * wireLimits.textBytes);
  });

  it.each([
    ['SEARCH', '* SEARCH 1 2 (MODSEQ 5'],
    ['ESEARCH', '* ESEARCH (TAG "1) UID ALL 1:3'],
  ])('ends the connection where the result without it would look whole: %s', async (_name, response) => {
    const { connection } = await connected({
      exists: 3,
      on: { 'UID SEARCH': (command, peer) => peer.send(response, `${command.tag} OK done`) },
    });
    await expect(searchSet(connection, '1:*')).rejects.toMatchObject({ kind: 'CONNECTION_LOST' });
    expect(connection.usable).toBe(false);
  });
});

describe('an IDLE', () => {
  const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN IDLE';
  /** Begins one and answers its DONE only together with the barrier behind it. */
  const idling: ScriptedHandler = (command, peer) => {
    peer.send('+ idling');
    peer.nextLine(() => peer.ok(command));
  };

  it('ends in one packet with the barrier that tells what is pending', async () => {
    const heard: number[] = [];
    const { server, connection } = await connected({
      capabilities,
      on: { IDLE: idling, NOOP: (command, peer) => peer.send('* 5 EXISTS', `${command.tag} OK done`) },
    });
    await connection.follow('INBOX', {
      onExists: (count) => heard.push(count),
      onExpunge: () => {},
      onVanished: () => {},
      onFlags: () => {},
      onLost: () => {},
    });
    heard.length = 0;
    const idle = beginIdle(connection);
    await received(server, 'IDLE');
    idle.stop();
    await idle.ended;
    expect(heard).toEqual([5]);
    expect(server.bytes.toString('latin1')).toMatch(/DONE\r\n\S+ NOOP\r\n/);
    expect(connection.quiet).toBe(true);
  });

  it('that the server ends by itself is followed by the barrier, and by no DONE', async () => {
    const { server, connection } = await connected({
      capabilities,
      on: { IDLE: (command, peer) => peer.send('+ idling', `${command.tag} OK enough`) },
    });
    const idle = beginIdle(connection);
    await idle.ended;
    idle.stop();
    await connection.exec('read', 'CHECK');
    expect(server.bytes.toString('latin1')).not.toContain('DONE');
    expect(server.names().slice(-3)).toEqual(['NOOP', 'STATUS', 'CHECK']);
  });

  it('has a bound on what the server says', async () => {
    const { connection } = await connected({
      capabilities,
      on: {
        IDLE: async (_command, peer) => {
          peer.send('+ idling');
          const flood = Buffer.from('* 1 FETCH (FLAGS (\\Seen))\r\n'.repeat(20_000));
          for (let sent = 0; sent < 2 * wireLimits.unaskedBytes && peer.open; sent += flood.length) {
            peer.raw(flood);
            await new Promise((resolve) => setImmediate(resolve));
          }
        },
      },
    });
    await expect(beginIdle(connection).ended).rejects.toMatchObject({ kind: 'TOO_LARGE' });
    expect(connection.usable).toBe(false);
  });
});

describe('the selected folder', () => {
  const changed = (uidValidity: number) =>
    connected({
      exists: 1,
      on: {
        STATUS: (command, peer) => peer.send(`* STATUS INBOX (UIDVALIDITY ${uidValidity})`, `${command.tag} OK done`),
      },
    });

  it('is found to be another one by a STATUS beside the NOOP', async () => {
    const { connection } = await changed(999);
    expect(await connection.refresh()).toBe(false);
    expect(connection.troubled).toBe(true);
  });

  it('is found to be gone by the refusal of that STATUS', async () => {
    const { connection } = await connected({ on: { STATUS: (command, peer) => peer.no(command, 'no such folder') } });
    expect(await connection.refresh()).toBe(false);
  });

  it('is not asked for by STATUS again where the server takes that for a fault of the client', async () => {
    const { server, connection } = await connected({
      on: {
        STATUS: (command, peer) =>
          peer.send('* NO CLIENT BUG DETECTED: STATUS on selected mailbox: INBOX', `${command.tag} OK done`),
      },
    });
    expect(await connection.refresh()).toBe(true);
    expect(await connection.refresh()).toBe(true);
    expect(server.names().filter((name) => name === 'STATUS')).toHaveLength(1);
  });

  it('has a UIDVALIDITY of its own where the server tells none or nonsense', async () => {
    for (const told of [
      '',
      '* OK [UIDVALIDITY 0] x',
      '* OK [UIDVALIDITY NIL] x',
      `* OK [UIDVALIDITY ${'9'.repeat(20)}] x`,
    ]) {
      const { connection } = await connected(
        { on: { SELECT: (command, peer) => peer.send('* 3 EXISTS', told || '* OK hello', `${command.tag} OK done`) } },
        false,
      );
      expect(await connection.select('INBOX')).toMatchObject({ uidValidity: 1, exists: 3 });
    }
  });

  it('is not opened where the server does not say how many messages are in it', async () => {
    const { connection } = await connected(
      { on: { SELECT: (c, peer) => peer.send('* -1 EXISTS', `${c.tag} OK done`) } },
      false,
    );
    await expect(connection.select('INBOX')).rejects.toMatchObject({ kind: 'IMAP_NO', field: 'mailbox' });
  });
});
