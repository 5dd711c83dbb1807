import { describe, expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { atom, listOf, literal, mailboxName, numberOf, sequence, textOf } from '../../src/imap/wire/tokens.js';
import { type ScriptedOptions, startScriptedServer } from '../support/scripted-server.js';

async function connected(options: ScriptedOptions = {}) {
  const server = await startScriptedServer(options);
  onTestFinished(() => server.close());
  const connection = await ImapConnection.open('1', server.server(), { user: 'alice', password: 'x' });
  onTestFinished(() => connection.close());
  return { server, connection };
}

describe('a command', () => {
  it('goes out as it is given and answers code, arguments and text of the OK', async () => {
    const { server, connection } = await connected({
      on: { 'UID COPY': (command, client) => client.ok(command, '[COPYUID 7 1:3 4:6] Done it') },
    });
    const ok = await connection.exec('write', 'UID COPY', [sequence('1:3'), mailboxName('Ä & "b" \\')]);
    expect(server.received.at(-1)).toMatch(/^\S+ UID COPY 1:3 "&AMQ- &- \\"b\\" \\\\"$/);
    expect(ok).toMatchObject({ code: 'COPYUID', text: 'Done it' });
    expect(ok.codeArgs.map(textOf)).toEqual(['7', '1:3', '4:6']);
  });

  it('sends lists, atoms, quoted strings and literals', async () => {
    const { server, connection } = await connected({ on: { TEST: (command, client) => client.ok(command) } });
    await connection.exec('read', 'TEST', [[atom('A'), [atom('B')]], 'c d', '', 5, literal('zwölf')]);
    expect(server.received.at(-1)).toBe(
      `${server.received.at(-1)?.split(' ')[0]} TEST (A (B)) "c d" "" 5 {6}\r\n${Buffer.from('zwölf').toString('latin1')}`,
    );
  });

  it('gives untagged responses to their handler, names decoded, and numbers as such', async () => {
    const { connection } = await connected({
      on: {
        TEST: (command, client) =>
          client.send('* LIST (\\X) "/" "&AMQ- &- b"', '* SEARCH 3 1 2', '* 5 FETCH (UID 9)', `${command.tag} OK fine`),
      },
    });
    const seen: unknown[] = [];
    await connection.exec('read', 'TEST', [], {
      LIST: ({ attributes }) => seen.push([listOf(attributes[0]).map(textOf), connection.nameOf(attributes[2])]),
      SEARCH: ({ numbers }) => seen.push(numbers),
      FETCH: ({ number, items }) => seen.push([number, numberOf(items.get('UID'))]),
    });
    expect(seen).toEqual([
      [['\\X'], 'Ä & b'],
      [3, 1, 2],
      [5, 9],
    ]);
  });

  it('throws refusals with status, code and words of the server, and the connection goes on', async () => {
    const { connection } = await connected({
      on: {
        TEST: (command, client) => client.no(command, '[OVERQUOTA] Your box is full'),
        GONE: (command, client) => client.no(command, '[NONEXISTENT] Not here'),
        WRONG: (command, client) => client.bad(command, 'What?'),
      },
    });
    await expect(connection.exec('write', 'TEST')).rejects.toMatchObject({
      kind: 'IMAP_NO',
      executed: 'no',
      imap: { status: 'NO', code: 'OVERQUOTA', text: 'Your box is full' },
    });
    await expect(connection.exec('read', 'GONE')).rejects.toMatchObject({ kind: 'NOT_FOUND' });
    await expect(connection.exec('read', 'WRONG')).rejects.toMatchObject({
      imap: { status: 'BAD', text: 'What?' },
    });
    expect(await connection.exec('read', 'NOOP')).toMatchObject({ code: undefined });
    expect(connection.writes).toEqual({ begun: 1, done: 0 });
    expect(connection.quiet).toBe(true);
  });

  it('throws what a handler throws, once the command is done', async () => {
    const { connection } = await connected({
      on: { TEST: (command, client) => client.send('* LIST () "/" a', '* LIST () "/" b', `${command.tag} OK fine`) },
    });
    let calls = 0;
    const handler = () => {
      calls += 1;
      throw new RangeError('too many');
    };
    await expect(connection.exec('read', 'TEST', [], { LIST: handler })).rejects.toThrow('too many');
    expect(calls).toBe(1);
    await connection.exec('read', 'NOOP');
  });

  it('refuses a value that would end the line, and sends nothing', async () => {
    const { server, connection } = await connected();
    const before = server.received.length;
    await expect(connection.exec('read', 'LIST', ['', 'a\r\nX LOGOUT'])).rejects.toMatchObject({
      kind: 'INVALID_PARAMS',
    });
    await connection.exec('read', 'NOOP');
    expect(server.names().slice(before)).toEqual(['NOOP']);
  });

  it('that loses its connection says that it may have been executed', async () => {
    const { connection } = await connected({ on: { TEST: (_command, client) => client.reset() } });
    await expect(connection.exec('write', 'TEST')).rejects.toMatchObject({
      kind: 'CONNECTION_LOST',
      executed: 'maybe',
    });
    await expect(connection.exec('write', 'NOOP')).rejects.toMatchObject({
      kind: 'CONNECTION_LOST',
      executed: 'no',
    });
  });
});
