import { describe, expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { refreshWith } from '../../src/imap/connection/refresh-with.js';
import { fetchRows } from '../../src/imap/messages/fetch-rows.js';
import { atom } from '../../src/imap/wire/tokens.js';
import type { ScriptedCommand, ScriptedConnection, ScriptedHandler } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

type Answer = (client: ScriptedConnection, noop: ScriptedCommand, fetch: ScriptedCommand) => void;

const ROW = '* 1 FETCH (UID 7 ENVELOPE (NIL "One" NIL NIL NIL NIL NIL NIL NIL NIL))';

/** A server that says nothing before it has both commands. */
async function holding(answer: Answer) {
  let waiting: ScriptedCommand | undefined;
  const noop: ScriptedHandler = (command) => {
    waiting = command;
  };
  const fetch: ScriptedHandler = (command, client) => {
    if (waiting) answer(client, waiting, command);
    waiting = undefined;
  };
  const server = await scripted({ exists: 1, on: { NOOP: noop, 'UID FETCH': fetch } });
  const connection = await opened(server);
  await connection.select('INBOX');
  return { server, connection };
}

/** Reads an envelope with the barrier; what was found is there when it is over. */
async function reading(connection: ImapConnection) {
  const uids: number[] = [];
  const fresh = await refreshWith(connection, async () => {
    for (const { uid } of await fetchRows(connection, '7', [atom('ENVELOPE')], 'uid')) uids.push(uid);
  });
  return { fresh, uids };
}

describe('a barrier with a read', () => {
  it('takes one round trip', async () => {
    const { connection } = await holding((client, noop, fetch) => {
      client.ok(noop);
      client.send(ROW);
      client.ok(fetch);
    });
    expect(await reading(connection)).toEqual({ fresh: true, uids: [7] });
    expect(await reading(connection)).toEqual({ fresh: true, uids: [7] });
    expect([connection.usable, connection.quiet]).toEqual([true, true]);
  });

  it('takes what a server reads before it looks what is new', async () => {
    const { connection } = await holding((client, noop, fetch) => {
      client.send(ROW);
      client.ok(noop);
      client.ok(fetch);
    });
    expect(await reading(connection)).toEqual({ fresh: true, uids: [7] });
    expect([connection.usable, connection.quiet]).toEqual([true, true]);
  });

  it('leaves to others what they are told meanwhile', async () => {
    const { connection } = await holding((client, noop, fetch) => {
      client.send('* 1 EXPUNGE');
      client.send('* 1 EXISTS');
      client.ok(noop);
      client.send('* 1 FETCH (FLAGS (\\Seen))');
      client.ok(fetch);
    });
    const heard: string[] = [];
    await connection.follow('INBOX', {
      onExists: (count) => heard.push(`${count} there`),
      onExpunge: (seq) => heard.push(`${seq} gone`),
      onVanished: () => {},
      onFlags: ({ seq, flags }) => heard.push(`${seq} ${flags}`),
      onLost: () => {},
    });
    heard.length = 0;
    expect(await reading(connection)).toEqual({ fresh: true, uids: [] });
    expect(heard).toEqual(['1 gone', '1 there', '1 \\Seen']);
  });

  it('does not mind that the read is refused', async () => {
    const { connection } = await holding((client, noop, fetch) => {
      client.ok(noop);
      client.no(fetch, 'not now');
    });
    expect(await reading(connection)).toEqual({ fresh: true, uids: [] });
    expect(connection.usable).toBe(true);
  });

  it('fails when it is refused itself, once the read has ended', async () => {
    let ended = false;
    const { connection } = await holding((client, noop, fetch) => {
      client.no(noop, 'the folder is gone');
      client.send(ROW);
      setImmediate(() => {
        ended = true;
        client.ok(fetch);
      });
    });
    expect(await reading(connection)).toMatchObject({ fresh: false });
    expect([ended, connection.usable]).toEqual([true, true]);
  });

  it('takes answers in any order', async () => {
    const { connection } = await holding((client, noop, fetch) => {
      client.send(ROW);
      client.ok(fetch);
      client.ok(noop);
    });
    expect(await reading(connection)).toEqual({ fresh: true, uids: [7] });
    expect([connection.usable, connection.quiet]).toEqual([true, true]);
  });
});
