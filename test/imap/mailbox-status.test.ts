import { describe, expect, it } from 'vitest';
import { statusOf } from '../../src/imap/mailboxes/mailbox-status.js';
import type { ScriptedHandler, ScriptedOptions } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

const COUNTS = 'MESSAGES 2 UNSEEN 1 UIDNEXT 3 UIDVALIDITY 1';
const told = { messages: 2, unseen: 1, uidNext: 3, uidValidity: 1, size: null };
const RETURN = 'RETURN (STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))';

async function connected(list: ScriptedHandler, options: ScriptedOptions = {}) {
  const server = await scripted({
    capabilities: 'IMAP4rev1 LIST-EXTENDED LIST-STATUS',
    ...options,
    on: {
      LIST: list,
      STATUS: (command, client) => {
        client.send(`* STATUS ${command.args.replace(/ \([^)]*\)$/, '')} (${COUNTS})`);
        client.ok(command);
      },
      ...options.on,
    },
  });
  const connection = await opened(server);
  const before = server.received.length;
  const sent = () => server.received.slice(before).map((line) => line.slice(line.indexOf(' ') + 1));
  return { connection, sent };
}

const answer =
  (...lines: string[]): ScriptedHandler =>
  (command, client) =>
    client.send(...lines, `${command.tag} OK done`);

/** Names in a LIST command. */
const namesIn = (line: string) => (/\("(.*)"\) RETURN/.exec(line)?.[1] ?? '').split('" "');

describe('counts of several folders by LIST-STATUS', () => {
  it('are one command, and those of a level without messages are null', async () => {
    const { connection, sent } = await connected(
      answer(
        ...['* LIST () "/" INBOX', `* STATUS INBOX (${COUNTS})`, '* LIST (\\NoSelect) "/" level'],
        ...['* LIST (\\NonExistent \\HasChildren) "/" none', '* LIST () "/" x', `* STATUS x (${COUNTS})`],
      ),
    );
    expect(await statusOf(connection, ['inbox', 'level', 'x', 'none', 'x'])).toEqual(
      new Map(Object.entries({ INBOX: told, level: null, x: told, none: null })),
    );
    expect(sent()).toEqual([`LIST "" ("INBOX" "level" "x" "none") ${RETURN}`]);
  });

  it('are asked for one by one where LIST does not tell them', async () => {
    const { connection, sent } = await connected(
      answer(
        // One it hides, one it spells in another way, one it cannot count, and one that was not asked for.
        ...['* LIST () "/" INBOX', `* STATUS INBOX (${COUNTS})`, `* STATUS INBOX/Kid (${COUNTS})`],
        ...['* LIST () "/" uncounted', '* STATUS uncounted (MESSAGES 2)', `* STATUS other (${COUNTS})`],
      ),
    );
    const found = await statusOf(connection, ['INBOX', 'hidden', 'inbox/Kid', 'uncounted']);
    expect([...found]).toEqual(['INBOX', 'hidden', 'inbox/Kid', 'uncounted'].map((name) => [name, told]));
    expect(sent().slice(1)).toEqual(
      ['hidden', 'inbox/Kid', 'uncounted'].map((name) => expect.stringContaining(`STATUS "${name}" (`)),
    );
  });

  it.each(['no', 'bad'] as const)('are asked for one by one where the server says %s to it', async (refuse) => {
    const { connection, sent } = await connected((command, client) => client[refuse](command));
    expect([...(await statusOf(connection, ['a', 'b'])).values()]).toEqual([told, told]);
    expect(sent().map((line) => line.split(' ')[0])).toEqual(['LIST', 'STATUS', 'STATUS']);
  });

  it('never ask for a name in which the server would see a wildcard', async () => {
    const { connection, sent } = await connected(
      answer(`* STATUS a (${COUNTS})`, `* STATUS b (${COUNTS})`, `* STATUS "c*" (${COUNTS})`),
    );
    expect((await statusOf(connection, ['a', '100%', 'b', 'c*'])).size).toBe(4);
    expect(sent().map((line) => line.replace(/ \(MESSAGES.*| RETURN.*/, ''))).toEqual([
      ...['LIST "" ("a" "b")', 'STATUS "100%"', 'STATUS "c*"'],
    ]);
  });

  it('are STATUS for one folder, and where one of the two extensions is missing', async () => {
    const one = await connected(answer());
    await statusOf(one.connection, ['a', 'a']);
    expect(one.sent()).toHaveLength(1);
    for (const capabilities of ['IMAP4rev1 LIST-EXTENDED', 'IMAP4rev1 LIST-STATUS']) {
      const { connection, sent } = await connected(answer(), { capabilities });
      await statusOf(connection, ['a', 'b']);
      expect(sent().map((line) => line.split(' ')[0])).toEqual(['STATUS', 'STATUS']);
    }
  });

  it('take no more names at once than fit into a command line', async () => {
    const { connection, sent } = await connected((command, client) => {
      client.send(...namesIn(command.line).map((name) => `* STATUS "${name}" (${COUNTS})`));
      client.ok(command);
    });
    const plain = Array.from({ length: 150 }, (_, index) => `f${index}`);
    const long = Array.from({ length: 50 }, (_, index) => `${'ä€'.repeat(60)}${index}`);
    const found = await statusOf(connection, [...plain, ...long]);
    expect([...found.values()].every((counts) => counts?.messages === 2)).toBe(true);
    expect(sent().every((line) => line.startsWith('LIST') && line.length < 8192 && namesIn(line).length <= 100)).toBe(
      true,
    );
    expect(sent().flatMap(namesIn)).toHaveLength(200);
  });

  it('are those that the selected folder has now', async () => {
    const { connection, sent } = await connected(answer(`* STATUS INBOX (${COUNTS})`, `* STATUS b (${COUNTS})`));
    await connection.select('INBOX');
    await statusOf(connection, ['INBOX', 'b']);
    expect(
      sent()
        .slice(1)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['NOOP', 'STATUS', 'LIST']);
  });
});
