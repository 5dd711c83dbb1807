import { describe, expect, it, onTestFinished } from 'vitest';
import { messageWriteHandlers } from '../../../src/methods/message-write.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { type ScriptedHandler, startScriptedServer } from '../../support/scripted-server.js';

const { 'message.copy': copy, 'message.move': move } = messageWriteHandlers;

const answer =
  (tagged: string, ...lines: string[]): ScriptedHandler =>
  (command, client) =>
    client.send(...lines, `${command.tag} ${tagged}`);

/** One answer after the other; the last again and again. */
const inTurn = (...answers: ScriptedHandler[]): ScriptedHandler => {
  return (command, client) => (answers.length > 1 ? answers.shift() : answers[0])?.(command, client);
};

/** A folder with the uids 1 to 4 at a server that answers so. */
async function folder(capabilities: string, on: Record<string, ScriptedHandler>) {
  const server = await startScriptedServer({ exists: 4, capabilities: `IMAP4rev1 ${capabilities}`, on });
  onTestFinished(() => server.close());
  const account = await directAccount(server.server(), { user: 'alice', password: 'x' });
  onTestFinished(() => account.close());
  await account.connection.select('INBOX');
  const before = server.received.length;
  const sent = () => server.received.slice(before).map((line) => line.slice(line.indexOf(' ') + 1));
  const params = (uids: number[]) => ({ session: 's', mailbox: 'INBOX', uidValidity: 1, uids, destination: 'b' });
  return {
    sent,
    copy: (...uids: number[]) => copy(handlerContext('message.copy', account), params(uids)),
    move: (...uids: number[]) => move(handlerContext('message.move', account), params(uids)),
  };
}

describe('a copy at a server with UIDPLUS', () => {
  it('found what COPYUID names, even where it names no destination for some', async () => {
    const { copy, sent } = await folder('UIDPLUS', { 'UID COPY': answer('OK [COPYUID 7 1:2,4 11:12] Done') });
    expect(await copy(4, 3, 2, 1)).toEqual({
      destination: 'b',
      destinationUidValidity: 7,
      uids: [
        { source: 1, destination: 11 },
        { source: 2, destination: 12 },
      ],
      notFound: [3],
    });
    expect(sent()).toEqual(['UID COPY 1:4 "b"']);
  });

  it('tells each message once, however often the server names it', async () => {
    const often = Array.from({ length: 1000 }, () => '* OK [COPYUID 7 1:2 11:12] Copied');
    const { copy } = await folder('UIDPLUS', { 'UID COPY': answer('OK [COPYUID 7 1:2 11:12] Done', ...often) });
    expect(await copy(1, 2)).toMatchObject({
      uids: [
        { source: 1, destination: 11 },
        { source: 2, destination: 12 },
      ],
      notFound: [],
    });
  });

  it('that says nothing of what it copied found what is there, and copies nothing twice', async () => {
    const { copy, sent } = await folder('UIDPLUS', {
      'UID COPY': answer('OK Done'),
      'UID SEARCH': answer('OK Done', '* SEARCH 1 4'),
    });
    expect(await copy(1, 2, 4)).toMatchObject({ uids: [], notFound: [2] });
    expect(sent()).toEqual(['UID COPY 1:2,4 "b"', 'UID SEARCH UID 1:2,4']);
  });

  it('looks first for messages of which it may not have been told yet', async () => {
    const { copy, sent } = await folder('UIDPLUS', {
      'UID SEARCH': inTurn(answer('OK Done', '* SEARCH 1'), answer('OK Done', '* SEARCH 5')),
      NOOP: answer('OK Done', '* 5 EXISTS'),
      'UID COPY': answer('OK [COPYUID 7 1,5 11:12] Done'),
    });
    expect((await copy(1, 5, 6)).notFound).toEqual([6]);
    expect(sent()).toEqual([
      'UID SEARCH UID 1,5:6',
      'NOOP',
      'STATUS "INBOX" (UIDVALIDITY)',
      'UID SEARCH UID 5:6',
      'UID COPY 1,5 "b"',
    ]);
  });

  it('is made behind a NOOP where it was refused because some messages are gone', async () => {
    const { copy, sent } = await folder('UIDPLUS', {
      'UID COPY': inTurn(answer('NO [EXPUNGEISSUED] Some are gone'), answer('OK [COPYUID 7 2 11] Done')),
      NOOP: answer('OK Done', '* 1 EXPUNGE'),
    });
    expect((await copy(1, 2)).notFound).toEqual([1]);
    expect(sent()).toEqual(['UID COPY 1:2 "b"', 'NOOP', 'UID COPY 1:2 "b"']);
  });

  it('is not repeated where it was refused for another reason', async () => {
    const { copy, sent } = await folder('UIDPLUS', { 'UID COPY': answer('NO [OVERQUOTA] Full') });
    await expect(copy(1)).rejects.toMatchObject({ kind: 'IMAP_NO', executed: 'no' });
    expect(sent()).toHaveLength(1);
  });
});

describe('a move', () => {
  it('without MOVE expunges those alone that were copied', async () => {
    const { move, sent } = await folder('UIDPLUS', {
      'UID COPY': answer('OK [COPYUID 7 1,3:4 11:13] Done'),
      'UID EXPUNGE': answer('OK Done'),
    });
    expect((await move(1, 2, 3)).notFound).toEqual([2]);
    expect(sent()).toEqual([...['UID COPY 1:3 "b"', 'UID STORE 1,3 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 1,3']]);
  });

  it.each([
    ['in an untagged OK', answer('OK Done', '* OK [COPYUID 7 1 11] Moved', '* 1 EXPUNGE'), [2]],
    ['in the tagged one', answer('OK [COPYUID 7 1 11] Done', '* 1 EXPUNGE'), [2]],
    ['nowhere', answer('OK Done', '* 1 EXPUNGE'), []],
  ])('tells what was there where the server tells it %s', async (_where, handler, notFound) => {
    const { move, sent } = await folder('UIDPLUS MOVE', {
      'UID SEARCH': answer('OK Done', '* SEARCH 1 2'),
      'UID MOVE': handler,
    });
    expect((await move(1, 2)).notFound).toEqual(notFound);
    expect(sent()).toEqual(['UID SEARCH UID 1:2', 'UID MOVE 1:2 "b"']);
  });

  it('is MOVE at a server of IMAP4rev2, which need not name what is a part of it', async () => {
    const { move, sent } = await folder('IMAP4rev2', {
      'UID SEARCH': answer('OK Done', '* SEARCH 1'),
      'UID MOVE': answer('OK Done', '* OK [COPYUID 7 1 11] Moved', '* 1 EXPUNGE'),
    });
    expect((await move(1)).uids).toEqual([{ source: 1, destination: 11 }]);
    expect(sent().at(-1)).toBe('UID MOVE 1 "b"');
  });
});
