import { describe, expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { listMailboxes } from '../../src/imap/mailboxes/mailbox-list.js';
import { statusOf } from '../../src/imap/mailboxes/mailbox-status.js';
import { mailboxTree } from '../../src/imap/mailboxes/mailbox-tree.js';
import {
  createMailbox,
  deleteMailbox,
  renameMailbox,
  subscribeMailbox,
  unsubscribeMailbox,
} from '../../src/imap/mailboxes/mailboxes.js';
import { quotasOf } from '../../src/imap/mailboxes/quota.js';
import { atom } from '../../src/imap/wire/tokens.js';
import { type ScriptedHandler, type ScriptedOptions, startScriptedServer } from '../support/scripted-server.js';

async function connected(options: ScriptedOptions) {
  const server = await startScriptedServer(options);
  onTestFinished(() => server.close());
  const connection = await ImapConnection.open('1', server.server(), { user: 'alice', password: 'x' });
  onTestFinished(() => connection.close());
  const login = server.received.length;
  /** The commands after the login, without their tags. */
  const commands = () => server.received.slice(login).map((line) => line.slice(line.indexOf(' ') + 1));
  return { server, connection, commands };
}

const answer =
  (...lines: string[]): ScriptedHandler =>
  (command, client) =>
    client.send(...lines, `${command.tag} OK done`);

const names = (entries: Array<{ name: string }>) => entries.map(({ name }) => name);

describe('listing', () => {
  it('goes back to plain commands when the server refuses the extensions that it offers', async () => {
    const { connection, commands } = await connected({
      capabilities: 'IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE',
      on: {
        LIST: (command, client) =>
          /RETURN|SUBSCRIBED/.test(command.args)
            ? client.bad(command)
            : answer('* LIST () "/" INBOX', '* LIST () "/" x')(command, client),
        LSUB: answer('* LSUB () "/" x'),
      },
    });
    const entries = await listMailboxes(connection, { counts: true, ghosts: false });
    expect(entries).toMatchObject([
      { name: 'INBOX', subscribed: false, counts: { messages: 0, uidValidity: 1 } },
      { name: 'x', subscribed: true, counts: { messages: 0 } },
    ]);
    expect(commands().filter((line) => line.startsWith('STATUS'))).toHaveLength(2);
  });

  it.each<[string, (text: string) => string]>([
    ['attributes', (text) => `* LIST (\\${text}) "/" INBOX`],
    ['names of counts', (text) => `* STATUS ${text} (MESSAGES 0 UNSEEN 0 UIDVALIDITY 1)`],
  ])('is given up where the server sends %s of more than 64 MiB', async (_what, line) => {
    const sent = line('x'.repeat(200 * 1024));
    const { connection } = await connected({
      capabilities: 'IMAP4rev1 NAMESPACE LIST-EXTENDED LIST-STATUS',
      on: { LIST: answer(...Array.from({ length: 340 }, () => sent)) },
    });
    const listed = listMailboxes(connection, { counts: true, ghosts: false });
    await expect(listed).rejects.toMatchObject({ kind: 'TOO_LARGE' });
    expect(connection.usable).toBe(false);
  });

  it('asks for the namespaces that `*` leaves out, as Courier does', async () => {
    const { connection, commands } = await connected({
      on: {
        NAMESPACE: answer('* NAMESPACE (("INBOX." ".")) (("#user." ".")) (("#shared." "."))'),
        LIST: (command, client) =>
          answer(
            command.args.includes('#shared.*')
              ? '* LIST (\\HasNoChildren) "." "#shared.team.x"'
              : '* LIST () "." inbox',
          )(command, client),
      },
    });
    const entries = await listMailboxes(connection, { counts: false, ghosts: false });
    expect(commands().filter((line) => line.startsWith('LIST'))).toEqual([
      ...['LIST "" "*"', 'LIST "" "#user.*"', 'LIST "" "#shared.*"'],
    ]);
    expect(names(await mailboxTree(entries, ['#user.', '#shared.']))).toEqual([
      ...['INBOX', '#shared', '#shared.team', '#shared.team.x'],
    ]);
  });

  it('reads names in quotes, literals, raw UTF-8 and with no hierarchy at all', async () => {
    const raw = Buffer.from('Ä/ö').toString('latin1');
    const { connection } = await connected({
      on: {
        LIST: (command, client) => {
          client.send('* LIST () "/" "a \\"b\\" \\\\c"', '* LIST () NIL flat', '* LIST (\\NoSelect) "\\\\" "x\\\\y"');
          client.raw(`* LIST () "/" {${raw.length}}\r\n${raw}\r\n`);
          client.ok(command);
        },
      },
    });
    const tree = await mailboxTree(await listMailboxes(connection, { counts: false, ghosts: false }), []);
    expect(tree.map(({ name, parent, leaf, selectable }) => [name, parent, leaf, selectable])).toEqual([
      ['Ä', null, 'Ä', false],
      ['Ä/ö', 'Ä', 'ö', true],
      ['a "b" \\c', null, 'a "b" \\c', true],
      ['flat', null, 'flat', true],
      ['x', null, 'x', false],
      ['x\\y', 'x', 'y', false],
    ]);
  });

  it('guesses special folders from names where the server says nothing: plain and high ones first', async () => {
    const lines = [
      'Sent Items',
      'Gesendet',
      'old/Gesendet',
      'Корзина',
      '下書き',
      'Spam',
      'Sent to clients',
      '#u/Archiv',
    ];
    const { connection } = await connected({
      on: {
        NAMESPACE: answer('* NAMESPACE (("" "/")) (("#u/" "/")) NIL'),
        LIST: (command, client) => {
          const listed = command.args.includes('#u') ? [] : lines;
          for (const name of ['INBOX', ...listed]) {
            const octets = Buffer.from(name).toString('latin1');
            client.raw(`* LIST () "/" {${octets.length}}\r\n${octets}\r\n`);
          }
          client.ok(command);
        },
      },
    });
    const tree = await mailboxTree(await listMailboxes(connection, { counts: false, ghosts: false }), ['#u/']);
    expect(tree.filter(({ specialUse }) => specialUse).map((entry) => [entry.name, entry.specialUse])).toEqual([
      ...[
        ['INBOX', 'inbox'] as const,
        ['下書き', 'drafts'],
        ['Gesendet', 'sent'],
        ['Spam', 'junk'],
        ['Корзина', 'trash'],
      ],
    ]);
    expect(tree.find(({ name }) => name === 'Gesendet')).toMatchObject({ specialUseSource: 'name' });
  });
});

describe('names', () => {
  it('are decoded up to the length that a request could name', async () => {
    const { connection } = await connected({});
    const told = (pairs: number) => connection.nameOf(atom('&AOk-t'.repeat(pairs)));
    expect(told(500)).toBe('ét'.repeat(500));
    expect(told(1_000)).toBe('&AOk-t'.repeat(1_000));
  });
});

describe('counts', () => {
  it('are null where the server refuses one folder, and an error where it cannot tell now', async () => {
    const { connection, server } = await connected({
      on: {
        STATUS: (command, client) =>
          command.args.startsWith('"no"') ? client.no(command, 'No such folder') : server.answer(command, client),
      },
    });
    const counts = { messages: 0, unseen: 0, uidNext: 1, uidValidity: 1, size: null };
    expect(await statusOf(connection, ['no', 'yes'])).toEqual(
      new Map([
        ['no', null],
        ['yes', counts],
      ]),
    );
    server.on.STATUS = (command, client) => client.no(command, '[UNAVAILABLE] Backend is away');
    await expect(statusOf(connection, ['x'])).rejects.toMatchObject({ kind: 'IMAP_NO', imap: { code: 'UNAVAILABLE' } });
  });

  it('of the selected folder follow a NOOP; when the server refuses that, the folder is left first', async () => {
    const { connection, commands } = await connected({ on: { NOOP: (command, client) => client.no(command, 'gone') } });
    await connection.select('INBOX');
    await connection.select('inbox');
    await statusOf(connection, ['other']);
    await statusOf(connection, ['INBOX']);
    expect(commands().map((line) => line.split(' ')[0])).toEqual([
      'SELECT',
      'STATUS',
      'NOOP',
      'STATUS',
      'EXAMINE',
      'CLOSE',
      'STATUS',
    ]);
  });
});

describe('changing folders', () => {
  /** A server that makes no parents by itself and answers without codes. */
  function strict(existing: string[], refused: string[] = []): Record<string, ScriptedHandler> {
    const argument = (args: string) => /"((?:[^"\\]|\\.)*)"$/.exec(args)?.[1] ?? '';
    return {
      LIST: (command, client) => {
        const name = argument(command.args);
        answer(...(existing.includes(name) ? [`* LIST () "/" "${name}"`] : []))(command, client);
      },
      CREATE: (command, client) => {
        const name = argument(command.args);
        const parent = name.slice(0, Math.max(0, name.lastIndexOf('/')));
        const orphan = parent !== '' && !existing.includes(parent);
        if (orphan || existing.includes(name) || refused.includes(name)) return client.no(command, 'Not so');
        existing.push(name);
        client.ok(command);
      },
      DELETE: (command, client) => {
        existing.splice(existing.indexOf(argument(command.args)), 1);
        client.ok(command);
      },
      SUBSCRIBE: (command, client) => client.no(command, 'No more subscriptions'),
      UNSUBSCRIBE: (command, client) => client.no(command, 'Not subscribed'),
      RENAME: (command, client) => client.ok(command),
      LSUB: answer('* LSUB () "/" "old"', '* LSUB () "/" "old/x"', '* LSUB () "/" "older"'),
    };
  }

  it('makes missing parents where the server does not', async () => {
    const existing = ['a'];
    const { connection } = await connected({ on: strict(existing) });
    expect(await createMailbox(connection, 'a/b/c', { subscribe: false })).toEqual({ name: 'a/b/c', created: true });
    expect(existing).toEqual(['a', 'a/b', 'a/b/c']);
  });

  it('leaves no parents behind when the folder itself is refused', async () => {
    const existing = ['a'];
    const { connection } = await connected({ on: strict(existing, ['a/b/c']) });
    await expect(createMailbox(connection, 'a/b/c', { subscribe: false })).rejects.toMatchObject({
      kind: 'IMAP_NO',
      imap: { text: 'Not so' },
    });
    expect(existing).toEqual(['a']);
  });

  it('says that the folder was made or renamed when only its subscription is refused', async () => {
    const { connection } = await connected({ on: strict(['old']) });
    const refused = { kind: 'IMAP_NO', executed: 'yes', imap: { text: 'No more subscriptions' } };
    await expect(createMailbox(connection, 'fresh', { subscribe: true })).rejects.toMatchObject(refused);
    await expect(renameMailbox(connection, 'old', 'new')).rejects.toMatchObject(refused);
    // That one is subscribed already.
    expect(await createMailbox(connection, 'old', { subscribe: true })).toEqual({ name: 'old', created: false });
  });

  it('does not mind an unsubscribe that is refused after a delete', async () => {
    const { connection, commands } = await connected({ on: strict(['old']) });
    await deleteMailbox(connection, 'old');
    expect(commands()).toEqual(['DELETE "old"', 'UNSUBSCRIBE "old"']);
  });

  it('leaves a selected folder without expunging it: by UNSELECT, else by EXAMINE and CLOSE', async () => {
    const plain = await connected({ on: strict(['old']) });
    await plain.connection.select('old');
    await deleteMailbox(plain.connection, 'old');
    expect(plain.commands()).toEqual(['SELECT "old"', 'EXAMINE "old"', 'CLOSE', 'DELETE "old"', 'UNSUBSCRIBE "old"']);
    const modern = await connected({ capabilities: 'IMAP4rev1 UNSELECT', on: strict(['old']) });
    await modern.connection.select('old');
    await deleteMailbox(modern.connection, 'old');
    expect(modern.commands()).toEqual(['SELECT "old"', 'UNSELECT', 'DELETE "old"', 'UNSUBSCRIBE "old"']);
  });
});

describe('quota', () => {
  it('is asked for by root where the server names the roots only; huge limits are none', async () => {
    const { connection } = await connected({
      capabilities: 'IMAP4rev1 QUOTA=RES-STORAGE',
      on: {
        GETQUOTAROOT: answer('* QUOTAROOT INBOX "" "user/alice"'),
        GETQUOTA: (command, client) =>
          answer(
            command.args === '""'
              ? '* QUOTA "" ()'
              : '* QUOTA "user/alice" (STORAGE 10 9223372036854775807 X-ITEMS 1 2 MESSAGE 3 100)',
          )(command, client),
      },
    });
    expect(await quotasOf(connection, 'INBOX')).toEqual([
      { root: '', storage: null, messages: null, others: [] },
      {
        root: 'user/alice',
        storage: { used: 10_240, limit: null },
        messages: { used: 3, limit: 100 },
        others: [{ name: 'X-ITEMS', used: 1, limit: 2 }],
      },
    ]);
  });

  it('is empty where no root limits the folder', async () => {
    const { connection } = await connected({
      capabilities: 'IMAP4rev1 QUOTA',
      on: { GETQUOTAROOT: answer('* QUOTAROOT INBOX') },
    });
    expect(await quotasOf(connection, 'INBOX')).toEqual([]);
  });
});

describe('quota of a server that tells too much', () => {
  it('has 20 roots with 20 resources each, and no number that JSON does not hold', async () => {
    const roots = Array.from({ length: 3000 }, (_, at) => `"r${at}"`);
    const resources = Array.from({ length: 1000 }, (_, at) => `X${at} 1 99999999999999999999`).join(' ');
    const { connection, commands } = await connected({
      capabilities: 'IMAP4rev1 QUOTA',
      on: {
        GETQUOTAROOT: answer(
          `* QUOTAROOT INBOX ${roots.join(' ')} "${'y'.repeat(100_000)}"`,
          ...roots.map((root) => `* QUOTA ${root} (STORAGE -1 5 MESSAGE 99999999999999999999 1 ${resources})`),
        ),
      },
    });
    const quotas = (await quotasOf(connection, 'INBOX')) ?? [];
    expect(quotas).toHaveLength(20);
    expect(quotas[19]).toMatchObject({ root: 'r19', storage: null, messages: null });
    expect(quotas[19]?.others).toHaveLength(18);
    expect(quotas[19]?.others[17]).toEqual({ name: 'X17', used: 1, limit: null });
    expect(commands()).toEqual(['GETQUOTAROOT "INBOX"']);
  });

  it('has each name of a root cut, which is not sent back', async () => {
    const { connection, commands } = await connected({
      capabilities: 'IMAP4rev1 QUOTA',
      on: { GETQUOTAROOT: answer(`* QUOTAROOT INBOX "${'y'.repeat(1000)}"`) },
    });
    expect(await quotasOf(connection, 'INBOX')).toMatchObject([{ root: 'y'.repeat(200), storage: null }]);
    expect(commands()).toEqual(['GETQUOTAROOT "INBOX"']);
  });
});

describe('servers with habits of their own', () => {
  it('that tell of a folder that went while they list show it no more', async () => {
    const { connection } = await connected({
      capabilities: 'IMAP4rev1 LIST-EXTENDED',
      on: { LIST: answer('* LIST () "/" stays', '* LIST () "/" went', '* LIST (\\NonExistent) "/" went') },
    });
    expect(names(await listMailboxes(connection, { counts: false, ghosts: false }))).toEqual(['stays']);
  });

  it('that have the homes of all users as a namespace list no folder twice', async () => {
    const { connection, commands } = await connected({
      capabilities: 'IMAP4rev1 SASL-IR AUTH=PLAIN NAMESPACE',
      on: { NAMESPACE: answer('* NAMESPACE (("" "/")) (("~" "/")) NIL'), LIST: answer('* LIST () "/" a') },
    });
    await listMailboxes(connection, { counts: false, ghosts: false });
    expect(commands().filter((line) => line.startsWith('LIST'))).toEqual(['LIST "" "*"']);
  });

  it('that refuse a second subscription, or the end of one that is none, are understood', async () => {
    const refuse: ScriptedHandler = (command, client) => client.no(command, 'Already so');
    const { connection } = await connected({
      on: {
        LIST: answer('* LIST () "/" a', '* LIST () "/" b'),
        LSUB: answer('* LSUB () "/" a'),
        SUBSCRIBE: refuse,
        UNSUBSCRIBE: refuse,
      },
    });
    expect(await subscribeMailbox(connection, 'a')).toBe('a');
    await unsubscribeMailbox(connection, 'b');
    await expect(subscribeMailbox(connection, 'b')).rejects.toMatchObject({ kind: 'IMAP_NO' });
    await expect(unsubscribeMailbox(connection, 'a')).rejects.toMatchObject({ kind: 'IMAP_NO' });
  });
});
