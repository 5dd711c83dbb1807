import { describe, expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { sumOfSizes } from '../../src/imap/mailboxes/folder-size.js';
import { mailboxInfo } from '../../src/imap/mailboxes/mailbox-info.js';
import { listMailboxes } from '../../src/imap/mailboxes/mailbox-list.js';
import type { ScriptedHandler } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

const answer =
  (...lines: string[]): ScriptedHandler =>
  (command, peer) =>
    peer.send(...lines, `${command.tag} OK ${command.name} completed`);

const all =
  'IMAP4rev1 NAMESPACE LIST-EXTENDED LIST-STATUS SPECIAL-USE ACL LIST-MYRIGHTS CONDSTORE OBJECTID APPENDLIMIT STATUS=SIZE';
const options = { counts: false, facts: true, ghosts: false };

async function facts(connection: ImapConnection, folder = 'INBOX') {
  const listed = await listMailboxes(connection, options);
  return listed.find(({ name }) => name === folder)?.facts;
}

describe('facts in a list', () => {
  it('come in one LIST where the server can', async () => {
    const server = await scripted({
      capabilities: all,
      on: {
        LIST: answer(
          '* LIST (\\HasNoChildren \\NoInferiors) "/" INBOX',
          '* MYRIGHTS INBOX lrswi',
          '* STATUS INBOX (MESSAGES 1 UNSEEN 0 UIDNEXT 2 UIDVALIDITY 1 SIZE 9 HIGHESTMODSEQ 9223372036854775807 MAILBOXID (F-1_a) APPENDLIMIT 100)',
          '* LIST (\\Noselect) "/" level',
          '* LIST () "/" other',
          '* STATUS other (MESSAGES 0 UNSEEN 0 UIDNEXT 1 UIDVALIDITY 2 SIZE 0 HIGHESTMODSEQ 0 MAILBOXID NIL APPENDLIMIT NIL)',
        ),
      },
    });
    const connection = await opened(server);
    const before = server.received.length;
    const listed = await listMailboxes(connection, options);
    expect(server.received.slice(before).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'LIST "" ("*") RETURN (SUBSCRIBED CHILDREN SPECIAL-USE MYRIGHTS STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY SIZE HIGHESTMODSEQ MAILBOXID APPENDLIMIT))',
    ]);
    expect(listed.map(({ name, facts, counts }) => [name, facts, counts])).toEqual([
      [
        'INBOX',
        {
          rights: 'lrswi',
          mailboxId: 'F-1_a',
          highestModseq: '9223372036854775807',
          appendLimit: 100,
          noInferiors: true,
          size: 9,
        },
        null,
      ],
      ['level', null, null],
      [
        'other',
        { rights: null, mailboxId: null, highestModseq: null, appendLimit: null, noInferiors: false, size: 0 },
        null,
      ],
    ]);
  });

  it('come by a STATUS and a MYRIGHTS for each folder where it cannot, some dozens in a packet', async () => {
    const names = Array.from({ length: 70 }, (_, at) => `f${at}`);
    let waiting = 0;
    let together = 0;
    const server = await scripted({
      capabilities: 'IMAP4rev1 ACL',
      on: {
        LIST: (command, peer) =>
          answer(...(command.args.endsWith('""') ? [] : names.map((name) => `* LIST () "/" ${name}`)))(command, peer),
        MYRIGHTS: (command, peer) => {
          waiting += 1;
          together = Math.max(together, waiting);
          setImmediate(() => {
            waiting -= 1;
            answer(`* MYRIGHTS ${command.args} lr`)(command, peer);
          });
        },
      },
    });
    const connection = await opened(server);
    const listed = await listMailboxes(connection, options);
    expect(listed.map(({ facts }) => facts?.rights)).toEqual(names.map(() => 'lr'));
    expect(server.names().filter((name) => name === 'STATUS')).toHaveLength(70);
    expect(together).toBe(32);
  });

  it('are null for what the server refuses: the list goes on', async () => {
    const server = await scripted({
      capabilities: 'IMAP4rev1 ACL OBJECTID',
      on: { MYRIGHTS: (command, peer) => peer.send(`${command.tag} NO [NOPERM] Not for you`) },
    });
    expect(await facts(await opened(server))).toMatchObject({ rights: null, mailboxId: null, size: null });
  });

  it.each([
    ['rights of a megabyte', `* MYRIGHTS INBOX "${'l'.repeat(1_000_000)}"`],
    ['rights that are none', '* MYRIGHTS INBOX "l r\\\\"'],
    ['numbers that are negative', '* STATUS INBOX (MESSAGES 1 HIGHESTMODSEQ -1 APPENDLIMIT -5 SIZE -1 MAILBOXID -)'],
    [
      'numbers of 20 digits',
      `* STATUS INBOX (HIGHESTMODSEQ ${'9'.repeat(20)} APPENDLIMIT ${'9'.repeat(20)} SIZE ${'9'.repeat(20)})`,
    ],
    ['an id of a megabyte', `* STATUS INBOX (MAILBOXID ("${'F'.repeat(200_000)}"))`],
    ['lists in place of values', '* STATUS INBOX (HIGHESTMODSEQ (1) APPENDLIMIT (2) SIZE (3) MAILBOXID ((F)))'],
  ])('hold none of %s', async (_what, line) => {
    const server = await scripted({ capabilities: all, on: { LIST: answer('* LIST () "/" INBOX', line) } });
    expect(await facts(await opened(server))).toEqual({
      ...{ rights: null, mailboxId: null, highestModseq: null },
      ...{ appendLimit: null, noInferiors: false, size: null },
    });
  });

  it('have the limit of all folders where the server states one', async () => {
    const server = await scripted({ capabilities: 'IMAP4rev1 APPENDLIMIT=5000' });
    const connection = await opened(server);
    expect(await facts(connection)).toMatchObject({ appendLimit: 5000 });
    expect(server.received.some((line) => line.includes('(APPENDLIMIT'))).toBe(false);
  });

  it('leave out attributes beyond 30, and those that are long', async () => {
    const many = Array.from({ length: 5000 }, (_, at) => `\\X${at}`).join(' ');
    const server = await scripted({
      on: { LIST: answer(`* LIST (\\${'y'.repeat(5000)} \\Marked ${many}) "/" INBOX`) },
    });
    const [inbox] = await listMailboxes(await opened(server), options);
    expect(inbox?.shown).toHaveLength(28);
    expect(inbox?.shown[0]).toBe('\\X0');
  });
});

describe('mailbox.info', () => {
  it('is one packet where the folder is not selected', async () => {
    const server = await scripted({ capabilities: `${all} UNSELECT`, on: { MYRIGHTS: answer('* MYRIGHTS INBOX lr') } });
    const connection = await opened(server);
    const held: (() => void)[] = [];
    for (const name of ['SELECT', 'STATUS', 'LIST']) {
      const hold: ScriptedHandler = (command, peer) => {
        held.push(() => void server.answer(command, peer));
        // A client that waited for an answer would not send the next command.
        if (held.length === 3) for (const release of held) release();
      };
      server.on[name] = hold;
    }
    expect(await mailboxInfo(connection, 'INBOX')).toMatchObject({ mailbox: 'INBOX', rights: 'lr', messages: 0 });
  });

  it('counts by what the server told at the SELECT, and a SEARCH, where it refuses a STATUS', async () => {
    const server = await scripted({
      exists: 4,
      on: {
        STATUS: (command, peer) => peer.send(`${command.tag} NO [CLIENTBUG] It is selected`),
        SEARCH: answer('* SEARCH 2 4'),
      },
    });
    const info = await mailboxInfo(await opened(server), 'INBOX');
    expect(info).toMatchObject({ messages: 4, unseen: 2, uidNext: 5, uidValidity: 1, size: null });
  });

  it('says that all flags are kept where the server does not tell which', async () => {
    const server = await scripted({
      on: {
        SELECT: (command, peer) =>
          peer.send('* 0 EXISTS', '* OK [UIDVALIDITY 1] x', `${command.tag} OK [READ-ONLY] done`),
      },
    });
    const info = await mailboxInfo(await opened(server), 'INBOX');
    expect(info).toMatchObject({ readOnly: true, flags: [], permanentFlags: null, keywordsAllowed: true });
  });

  it('has at most 1,000 flags, each as long as a request may name', async () => {
    const flags = Array.from({ length: 8000 }, (_, at) => `k${at}`).join(' ');
    const server = await scripted({
      on: {
        SELECT: (command, peer) => {
          peer.send(`* FLAGS (${'y'.repeat(201)} ${flags})`);
          server.answer(command, peer);
        },
      },
    });
    const connection = await opened(server);
    connection.onUnreadable = () => {};
    server.on.SELECT = (command, peer) => {
      peer.send(`* FLAGS (${'y'.repeat(201)} ${flags})`, `* OK [PERMANENTFLAGS (${flags})] Many`, '* 0 EXISTS');
      peer.send(`${command.tag} OK [READ-WRITE] done`);
    };
    const info = await mailboxInfo(connection, 'INBOX');
    expect([info.flags.length, info.permanentFlags?.length]).toEqual([1000, 1000]);
    expect(info.flags[0]).toBe('k0');
  });
});

describe('the sum of sizes', () => {
  async function selected(exists: number, sizes: (from: number, to: number) => string[]) {
    const server = await scripted({
      exists,
      on: {
        FETCH: (command, peer) => {
          const [, from = 0, to = from] = /^(\d+)(?::(\d+))?/.exec(command.args)?.map(Number) ?? [];
          answer(...sizes(from, Number.isNaN(to) ? from : to))(command, peer);
        },
      },
    });
    const connection = await opened(server);
    await connection.select('INBOX');
    const fetches = () => server.names().filter((name) => name.endsWith('FETCH')).length;
    return { connection, fetches };
  }
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => `* ${from + at} FETCH (RFC822.SIZE ${from + at})`);

  it('is fetched in batches', async () => {
    const { connection, fetches } = await selected(12_001, rows);
    const sum = (12_001 * 12_002) / 2;
    expect(await sumOfSizes(connection, { uidNext: 12_002, messages: 12_001 }, undefined)).toBe(sum);
    expect(fetches()).toBe(3);
  });

  it('of 0 messages is 0, of more than 200,000 it is not told', async () => {
    const { connection, fetches } = await selected(0, rows);
    expect(await sumOfSizes(connection, { uidNext: 1, messages: 0 }, undefined)).toBe(0);
    expect(await sumOfSizes(connection, { uidNext: 1, messages: 200_001 }, undefined)).toBeUndefined();
    expect(fetches()).toBe(0);
  });

  it.each([
    ['a size is missing', (from: number, to: number) => rows(from, to).slice(1)],
    ['a message comes twice', (from: number, to: number) => [...rows(from, to), `* ${to + 1} FETCH (RFC822.SIZE 1)`]],
    ['a size is negative', (from: number, to: number) => [...rows(from, to - 1), `* ${to} FETCH (RFC822.SIZE -1)`]],
    [
      'the sizes are none that JSON holds',
      (from: number, to: number) =>
        Array.from({ length: to - from + 1 }, (_, at) => `* ${from + at} FETCH (RFC822.SIZE 9007199254740991)`),
    ],
  ])('is not told where %s', async (_what, sizes) => {
    const { connection } = await selected(3, sizes);
    expect(await sumOfSizes(connection, { uidNext: 4, messages: 3 }, undefined)).toBeUndefined();
  });

  it('is fetched anew where there are more messages below the same next uid', async () => {
    const { connection, fetches } = await selected(3, rows);
    const known = { uidNext: 4, messages: 2, bytes: 100 };
    expect(await sumOfSizes(connection, { uidNext: 4, messages: 3 }, known)).toBe(6);
    expect(fetches()).toBe(1);
    expect(await sumOfSizes(connection, { uidNext: 4, messages: 2 }, known)).toBe(100);
    expect(await sumOfSizes(connection, { uidNext: null, messages: 3 }, { ...known, uidNext: null })).toBe(6);
    expect(fetches()).toBe(2);
  });

  it('passes over flags that the server reports meanwhile', async () => {
    const { connection } = await selected(3, (from, to) => ['* 1 FETCH (FLAGS (\\Seen))', ...rows(from, to)]);
    expect(await sumOfSizes(connection, { uidNext: 4, messages: 3 }, undefined)).toBe(6);
  });
});
