import { describe, expect, it, onTestFinished } from 'vitest';
import type { ParamsIn } from '../../../src/protocol/contract.js';
import { RawClient, runBroker } from '../../support/running-broker.js';
import type { ScriptedCommand, ScriptedConnection } from '../../support/scripted-connection.js';
import { startScriptedServer } from '../../support/scripted-server.js';

type Answer = (command: ScriptedCommand, connection: ScriptedConnection) => void;

/** Answers to commands in a folder; all other folders have one message. */
interface Odd {
  open?: Answer;
  search?: Answer;
  fetch?: Answer;
}

/** A server whose folders each have one message, but for those that are odd, and a user who searches them. */
async function searcher(
  odd: Record<string, Odd>,
  { capabilities = 'IMAP4rev1 ID UNSELECT', list = [] as string[] } = {},
) {
  const deaf = new Set<ScriptedConnection>();
  const handler =
    (of: keyof Odd, usual: Answer): Answer =>
    (command, connection) => {
      if (deaf.has(connection)) return;
      if (of === 'open') connection.mailbox = /"([^"]*)"/.exec(command.args)?.[1];
      const answer = odd[connection.mailbox ?? '']?.[of] ?? usual;
      answer(command, connection);
    };
  const number = (connection: ScriptedConnection) => Number(/\d+$/.exec(connection.mailbox ?? '')?.[0] ?? 0);
  const open = handler('open', (command, connection) =>
    connection.send(
      '* 1 EXISTS',
      '* OK [UIDVALIDITY 7] UIDs valid',
      '* OK [UIDNEXT 2] Predicted next UID',
      `${command.tag} OK [READ-WRITE] Opened`,
    ),
  );
  const server = await startScriptedServer({
    capabilities,
    on: {
      SELECT: open,
      EXAMINE: open,
      'UID SEARCH': handler('search', (command, connection) => connection.send('* SEARCH 1', `${command.tag} OK`)),
      'UID SORT': handler('search', (command, connection) => connection.send('* SORT 1', `${command.tag} OK`)),
      'UID FETCH': handler('fetch', (command, connection) => {
        const date = `0${1 + (number(connection) % 9)}-Mar-2024 12:00:00 +0000`;
        connection.send(`* 1 FETCH (UID 1 FLAGS () INTERNALDATE "${date}" RFC822.SIZE 9)`, `${command.tag} OK`);
      }),
      LIST: (command, connection) => connection.send(...list, `${command.tag} OK Listed`),
      LSUB: (command, connection) => connection.send(`${command.tag} OK Listed`),
      NOOP: (command, connection) => void (deaf.has(connection) || connection.send(`${command.tag} OK`)),
      UNSELECT: (command, connection) => void (deaf.has(connection) || connection.send(`${command.tag} OK`)),
    },
  });
  onTestFinished(() => server.close());
  const broker = await runBroker(server, { checkResults: true });
  onTestFinished(() => broker.stop());
  const client = await RawClient.open(broker.url);
  onTestFinished(() => client.close());
  const { session } = await client.call('session.open', { server: 'scripted', user: 'a', auth: { password: 'x' } });
  const ask = (asked: Partial<ParamsIn<'message.search'>>) =>
    client.call('message.search', { session, fields: ['flags'], ...asked } as ParamsIn<'message.search'>);
  /** Says nothing any more. */
  const silence: Answer = (_command, connection) => void deaf.add(connection);
  return { ask, server, client, session, silence };
}

const no: Answer = (command, connection) => connection.send(`${command.tag} NO [NOPERM] Not for you`);
const names = (count: number) => Array.from({ length: count }, (_, index) => `F${index}`);
const uids = ({ messages }: { messages: { mailbox: string }[] }) => messages.map(({ mailbox }) => mailbox).sort();

describe('message.search', () => {
  it('names the folders that the server refuses to open, to search or to show, and answers the others', async () => {
    const { ask } = await searcher({ F1: { open: no }, F3: { search: no } });
    const found = await ask({ mailboxes: names(6), limit: 50 });
    expect(found).toMatchObject({ total: 4, incomplete: ['F1', 'F3'], searched: 4 });
    expect(uids(found)).toEqual(['F0', 'F2', 'F4', 'F5']);
    await expect(ask({ mailboxes: ['F1'] })).rejects.toMatchObject({ data: { kind: 'IMAP_NO' } });
  });

  it('asks for the folders that cannot be opened together, and answers those that are there after all', async () => {
    let opened = 0;
    const gone: Answer = (command, connection) => connection.send(`${command.tag} NO [NONEXISTENT] No such folder`);
    const late: Answer = (command, connection) => {
      opened += 1;
      if (opened > 1) connection.send('* 1 EXISTS', '* OK [UIDVALIDITY 7] .', `${command.tag} OK Opened`);
      else gone(command, connection);
    };
    const odd = Object.fromEntries(names(99).map((name) => [name, { open: gone }]));
    const { ask, server } = await searcher({ ...odd, F7: { open: late }, F8: { open: no }, F9: { open: no } });
    server.on.LIST = (command, connection) => {
      const [, name] = /"" "?([^" ]*)"?$/.exec(command.args) ?? [];
      if (name === '*') for (const each of names(100)) connection.send(`* LIST () "/" ${each}`);
      else if (name === 'F5' || name === 'F7') connection.send(`* LIST () "/" ${name}`);
      connection.send(`${command.tag} OK Listed`);
    };
    server.received.length = 0;
    const found = await ask({ mailboxes: 'all', limit: 50 });
    expect(uids(found)).toEqual(['F7', 'F99']);
    expect(found.incomplete).toEqual(['F5', 'F8', 'F9']);
    // What is left for a last piece of one folder is opened alone.
    expect(server.names().filter((name) => name === 'SELECT').length).toBeLessThanOrEqual(2);
  });

  it('answers before its deadline what it has found, where the server takes too long for one folder', async () => {
    const odd: Record<string, Odd> = {};
    const { ask, silence } = await searcher(odd);
    odd.F25 = { search: silence };
    const begun = performance.now();
    const found = await ask({ mailboxes: names(40), timeoutMs: 2_000 });
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(found.incomplete).toContain('F25');
    expect(found.searched + found.incomplete.length).toBe(40);
    expect(new Set(found.incomplete).size).toBe(found.incomplete.length);
    expect(found.total).toBeGreaterThanOrEqual(10);
    expect(found.messages).toHaveLength(found.total);
    // Nothing of this is taken for the whole later.
    delete odd.F25;
    expect(await ask({ mailboxes: names(40) })).toMatchObject({ total: 40, searched: 40, incomplete: [] });
  });

  it('names the folders whose rows the server does not tell in time', async () => {
    const odd: Record<string, Odd> = {};
    const { ask, silence } = await searcher(odd, { capabilities: 'IMAP4rev1 ID UNSELECT SORT' });
    odd.F1 = { fetch: silence };
    const found = await ask({ mailboxes: ['F1', 'F2', 'F3'], timeoutMs: 1_000 });
    expect(found.incomplete).toContain('F1');
  });

  it('says DEADLINE where it has searched nothing by then', async () => {
    const odd: Record<string, Odd> = {};
    const { ask, silence } = await searcher(odd);
    odd.F0 = { search: silence };
    for (const mailboxes of [['F0'], ['F0', 'F1']]) {
      await expect(ask({ mailboxes, timeoutMs: 500 })).rejects.toMatchObject({ data: { kind: 'DEADLINE' } });
    }
  });

  it('leaves out the folders in which connections are lost again and again', async () => {
    const { ask, server } = await searcher({ F12: { open: (_command, connection) => connection.reset() } });
    const found = await ask({ mailboxes: names(20), limit: 50 });
    expect(found.incomplete).toEqual(expect.arrayContaining(['F12']));
    expect(found.messages.length).toBeGreaterThanOrEqual(10);
    expect(server.accepted).toBeGreaterThan(1);
  });

  it('searches the folder with all messages alone, with what that one does not hold', async () => {
    const list = [
      '* LIST (\\HasNoChildren) "/" INBOX',
      '* LIST (\\HasChildren \\Noselect) "/" "[Gmail]"',
      '* LIST (\\HasNoChildren \\All) "/" "[Gmail]/All Mail"',
      '* LIST (\\HasNoChildren \\Junk) "/" "[Gmail]/Spam"',
      '* LIST (\\HasNoChildren \\Trash) "/" "[Gmail]/Trash"',
      '* LIST (\\HasNoChildren) "/" "Work"',
    ];
    const { ask } = await searcher({}, { list });
    expect(uids(await ask({ mailboxes: 'all' }))).toEqual(['[Gmail]/All Mail', '[Gmail]/Spam', '[Gmail]/Trash']);
    expect(await ask({ mailboxes: 'subscribed' })).toMatchObject({ total: 0, searched: 0, incomplete: [] });
  });

  it('sends the searches of a dozen folders and more in one packet, and lets another request in between', async () => {
    const { ask, server, client, session } = await searcher({});
    server.received.length = 0;
    const searching = ask({ mailboxes: names(200), limit: 1 });
    const status = client.call('mailbox.status', { session, mailboxes: ['INBOX'] });
    await status;
    const before = server.names().filter((name) => name === 'UID SEARCH').length;
    expect(before).toBeLessThanOrEqual(100);
    expect(await searching).toMatchObject({ total: 200, searched: 200 });
    expect(server.names().filter((name) => name === 'UID SEARCH')).toHaveLength(200);
  });

  it('is done two times at once at most, however many ask for the same', async () => {
    const { ask, server } = await searcher({});
    await ask({ mailboxes: names(2) });
    server.received.length = 0;
    const answers = await Promise.all(Array.from({ length: 32 }, () => ask({ mailboxes: names(100), limit: 3 })));
    for (const answer of answers) expect(answer).toMatchObject({ total: 100, searched: 100, incomplete: [] });
    expect(answers.filter(({ meta }) => meta.source === 'coalesced').length).toBeGreaterThanOrEqual(28);
    expect(server.names().filter((name) => name === 'UID SEARCH').length).toBeLessThanOrEqual(400);
  });

  it('closes a connection whose server finds more messages than the folder has', async () => {
    const flood: Answer = (command, connection) =>
      connection.send(`* SEARCH ${Array.from({ length: 20_000 }, (_, uid) => uid + 1).join(' ')}`, `${command.tag} OK`);
    const { ask } = await searcher({ F1: { search: flood } });
    await expect(ask({ mailboxes: ['F0', 'F1'] })).rejects.toMatchObject({ data: { kind: 'TOO_LARGE' } });
  });
});
