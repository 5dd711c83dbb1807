import { describe, expect, it } from 'vitest';
import { storeFlags } from '../../src/imap/messages/store.js';
import type { ScriptedCommand, ScriptedHandler } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

type Lines = string | string[];

/** Sends lines before the tagged OK, or before what the last of them says. */
const answer =
  (...lines: string[]): ScriptedHandler =>
  (command, client) => {
    const last = lines.at(-1) ?? '';
    const tagged = /^(?:NO|BAD) /.test(last);
    client.send(...(tagged ? lines.slice(0, -1) : lines), `${command.tag} ${tagged ? last : 'OK done'}`);
  };

/** Answers one command after the other. */
const inTurn = (...answers: Lines[]): ScriptedHandler => {
  const left = answers.map((lines) => answer(...[lines].flat()));
  return (command, client) => (left.shift() ?? answer())(command, client);
};

/** A connection with four messages selected, uids 1 to 4, at a server that answers so. */
async function selected(on: Record<string, ScriptedHandler>) {
  const server = await scripted({ exists: 4, on });
  const connection = await opened(server);
  await connection.select('INBOX');
  const before = server.received.length;
  const sent = () => server.received.slice(before).map((line) => line.slice(line.indexOf(' ') + 1));
  return { connection, sent };
}

const FLAGGED = ['\\Flagged'];
/** What is asked when STORE did not tell. */
const asks = (set: string) => `UID FETCH ${set} (UID FLAGS)`;
const stores = (set: string, item = '+FLAGS (\\Flagged)') => `UID STORE ${set} ${item}`;

describe('flags that are changed', () => {
  it('are told by STORE itself, and nothing more is asked', async () => {
    const { connection, sent } = await selected({
      'UID STORE': answer('* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen \\Recent))', '* 2 FETCH (FLAGS (\\flagged) UID 2)'),
    });
    expect(await storeFlags(connection, [1, 2], 'add', FLAGGED)).toEqual(
      new Map([
        [1, ['\\Flagged', '\\Seen']],
        [2, ['\\flagged']],
      ]),
    );
    expect(sent()).toEqual([stores('1:2')]);
  });

  it.each([
    ['says nothing of messages that had them already', '* 1 FETCH (UID 1 FLAGS (\\Flagged))', '2'],
    ['leaves out the uid', ['* 1 FETCH (UID 1 FLAGS (\\Flagged))', '* 2 FETCH (FLAGS (\\Flagged))'], '2'],
    ['tells no flags but a MODSEQ', ['* 2 FETCH (UID 2 MODSEQ (7))', '* 1 FETCH (UID 1 MODSEQ (7))'], '1:2'],
    ['tells what others changed before', ['* 1 FETCH (UID 1 FLAGS (\\Flagged))', '* 2 FETCH (UID 2 FLAGS ())'], '2'],
    ['tells of messages that nobody asked for', ['* 3 FETCH (UID 3 FLAGS (\\Flagged))'], '1:2'],
  ] as [string, Lines, string][])('are asked for where the server %s', async (_what, lines, untold) => {
    const { connection, sent } = await selected({
      'UID STORE': answer(...[lines].flat()),
      'UID FETCH': answer('* 1 FETCH (UID 1 FLAGS (\\Flagged x))', '* 2 FETCH (UID 2 FLAGS (\\Flagged y))'),
    });
    const stored = await storeFlags(connection, [1, 2], 'add', FLAGGED);
    expect([...stored.keys()].sort()).toEqual([1, 2]);
    expect(stored.get(2)).toEqual(['\\Flagged', 'y']);
    expect(sent()).toEqual([stores('1:2'), asks(untold)]);
  });

  it('are those that the server told last', async () => {
    const { connection, sent } = await selected({
      'UID STORE': answer('* 1 FETCH (UID 1 FLAGS (\\Seen))', '* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))'),
    });
    expect((await storeFlags(connection, [1], 'add', FLAGGED)).get(1)).toEqual(['\\Flagged', '\\Seen']);
    expect(sent()).toHaveLength(1);
  });

  it.each([
    ['remove', '-FLAGS', '(\\Flagged)', 1],
    ['remove', '-FLAGS', '(\\Seen)', 0],
    ['set', 'FLAGS', '(\\Flagged)', 0],
    ['set', 'FLAGS', '(\\Flagged \\Seen)', 1],
    ['set', 'FLAGS', '(\\Flagged \\Recent)', 0],
  ] as const)('are asked for unless they are what %s makes of them: %s %s', async (action, item, told, asked) => {
    const { connection, sent } = await selected({
      'UID STORE': answer(`* 4 FETCH (UID 4 FLAGS ${told})`),
      'UID FETCH': answer('* 4 FETCH (UID 4 FLAGS (x))'),
    });
    await storeFlags(connection, [4], action, FLAGGED);
    expect(sent()).toEqual([stores('4', `${item} (\\Flagged)`), ...(asked ? [asks('4')] : [])]);
  });

  it('are asked for where the server tells of messages and then that some are gone', async () => {
    const { connection, sent } = await selected({
      'UID STORE': answer('* 1 FETCH (UID 1 FLAGS (\\Flagged))', '* 2 FETCH (UID 2 FLAGS (\\Flagged))', '* 1 EXPUNGE'),
      'UID FETCH': answer('* 1 FETCH (UID 2 FLAGS (\\Flagged))'),
    });
    expect([...(await storeFlags(connection, [1, 2], 'add', FLAGGED)).keys()]).toEqual([2]);
    expect(sent()).toEqual([stores('1:2'), asks('1:2')]);
  });

  it('are changed behind a NOOP where the server refuses because some messages are gone', async () => {
    const { connection, sent } = await selected({
      'UID STORE': inTurn('NO [EXPUNGEISSUED] Some are gone', '* 1 FETCH (UID 2 FLAGS (\\Flagged))'),
      NOOP: answer('* 1 EXPUNGE'),
      'UID FETCH': answer('* 1 FETCH (UID 2 FLAGS (\\Flagged))'),
    });
    expect([...(await storeFlags(connection, [1, 2], 'add', FLAGGED)).keys()]).toEqual([2]);
    expect(sent().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      ...['UID STORE', 'NOOP', 'UID STORE', 'UID FETCH'],
    ]);
  });

  it('are in command lines that servers accept, each of which is answered for itself', async () => {
    const { connection, sent } = await selected({
      'UID STORE': (command: ScriptedCommand, client) => {
        const uids = (command.args.split(' ')[0] ?? '').split(',');
        client.send(...uids.map((uid) => `* 1 FETCH (UID ${uid} FLAGS (\\Flagged))`));
        client.ok(command);
      },
    });
    const uids = Array.from({ length: 3000 }, (_, index) => 2 * index + 1001);
    expect((await storeFlags(connection, uids, 'add', FLAGGED)).size).toBe(3000);
    expect(sent().length).toBeGreaterThan(1);
    expect(sent().every((line) => line.startsWith('UID STORE') && line.length < 8192)).toBe(true);
  });
});
