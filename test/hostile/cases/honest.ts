import assert from 'node:assert/strict';
import { numbered, repeated, said } from '../../support/hostile-bytes.js';
import { before, type HostileHandler, type HostileServer } from '../../support/hostile-imap.js';
import type { Earlier, HostileCase, StepOf } from '../case.js';
import { listWith } from './checks.js';

const PAGE = 500;
const FOLDERS = 5000;

/** Page after page, so that the broker knows each message of the folder. */
const walk = (exists: number): StepOf<'message.list'> => ({
  method: 'message.list',
  params: (earlier: Earlier) => {
    const cursor = earlier.length > 1 ? earlier.at(-1)?.nextCursor : undefined;
    return { mailbox: 'INBOX', limit: PAGE, fields: ['flags', 'size'], ...(typeof cursor === 'string' && { cursor }) };
  },
  times: exists / PAGE,
});
/** The first NOOP after {@link walk} tells the news; those before it tell nothing. */
const onceAfter = (walked: number, news: HostileHandler): HostileHandler => {
  const told = new WeakSet<HostileServer>();
  return (command, connection, server) => {
    const pages = server.scripted.names().filter((name) => name === 'FETCH').length;
    if (told.has(server) || pages < walked) return server.answer(command, connection);
    told.add(server);
    return news(command, connection, server);
  };
};
const folders: HostileHandler = async (command, connection, server) => {
  if (command.args.endsWith('""')) return server.scripted.answer(command, connection);
  const counted = /RETURN .*STATUS/i.test(command.args);
  const name = (number: number) => (number === 1 ? 'INBOX' : `"Folder ${number} of the archive"`);
  const line = (number: number) =>
    `* LIST (\\HasNoChildren) "/" ${name(number)}\r\n${
      counted ? `* STATUS ${name(number)} (MESSAGES 12 UNSEEN 3 UIDNEXT 40 UIDVALIDITY 1)\r\n` : ''
    }`;
  await server.stream(connection, numbered(FOLDERS, line));
  connection.ok(command);
};
const counts: StepOf<'mailbox.list'> = {
  method: 'mailbox.list',
  // What a caller takes that may be old is kept.
  params: { counts: true, maxAgeMs: 60_000 },
  timeoutMs: 30_000,
  result: ({ mailboxes }) => {
    assert.equal(mailboxes.length, FOLDERS);
    for (const { name, counts } of mailboxes) assert.ok(counts, `${name} has no counts`);
  },
};
/** The same again, from memory. */
const countsAgain: StepOf<'mailbox.list'> = {
  ...counts,
  result: (answer) => {
    counts.result?.(answer);
    assert.equal(answer.meta.source, 'cache', 'the answer was not kept');
  },
};

/** Nothing wrong with these: answers of a size that mailboxes have. */
export const honestCases: readonly HostileCase[] = [
  {
    name: 'flags-10000',
    about: '10,000 flags changed at once',
    server: {
      exists: 10_000,
      on: {
        NOOP: onceAfter(20, before(numbered(10_000, (number) => `* ${number} FETCH (FLAGS (\\Seen \\Flagged))\r\n`))),
      },
    },
    steps: [
      walk(10_000),
      listWith({
        result: ({ messages: [newest] }) => assert.deepEqual(newest?.flags?.toSorted(), ['\\Flagged', '\\Seen']),
      }),
    ],
  },
  {
    name: 'expunged-20000',
    about: '20,000 messages expunged at once, by EXPUNGE',
    server: { exists: 20_000, on: { NOOP: onceAfter(40, before(repeated('* 1 EXPUNGE\r\n', 20_000))) } },
    steps: [walk(20_000), listWith({ result: ({ total }) => assert.equal(total, 0) })],
  },
  {
    name: 'vanished-20000',
    about: '20,000 messages expunged at once, by VANISHED',
    server: {
      exists: 20_000,
      offers: 'CONDSTORE QRESYNC',
      on: { NOOP: onceAfter(40, before(said('* VANISHED 1:20000\r\n'))) },
    },
    steps: [walk(20_000), listWith({ result: ({ total }) => assert.equal(total, 0) })],
  },
  {
    name: 'folders-5000',
    about: '5,000 folders with counts, by LIST-STATUS',
    server: { offers: 'LIST-EXTENDED LIST-STATUS SPECIAL-USE', on: { LIST: folders } },
    steps: [counts, countsAgain],
  },
  {
    name: 'folders-5000-status',
    about: '5,000 folders with counts, by a STATUS for each',
    server: { on: { LIST: folders, LSUB: folders } },
    steps: [counts, countsAgain],
  },
];
