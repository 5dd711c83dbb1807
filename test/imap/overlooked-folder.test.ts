import { describe, expect, it } from 'vitest';
import { stampsOf } from '../../src/imap/mailboxes/mailbox-stamp.js';
import { statusOf } from '../../src/imap/mailboxes/mailbox-status.js';
import type { ScriptedHandler } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

const MISSING = "NO Mailbox doesn't exist: Fresh";

/** A session that says of the folder Fresh that it is missing, until a LIST has shown the folder. */
async function overlooking(list: string[]) {
  let looked = false;
  const unlessSeen =
    (then: ScriptedHandler): ScriptedHandler =>
    (command, peer) =>
      looked ? then(command, peer) : peer.send(`${command.tag} ${MISSING}`);
  const server = await scripted({
    on: {
      LIST: (command, peer) => {
        looked = list.some((line) => /"Fresh"$/.test(line) && !/NonExistent|Noselect/.test(line));
        peer.send(...list, `${command.tag} OK done`);
      },
      SELECT: unlessSeen((command, peer) => server.answer(command, peer)),
      STATUS: unlessSeen((command, peer) => {
        peer.send('* STATUS "Fresh" (MESSAGES 1 UNSEEN 1 UIDNEXT 2 UIDVALIDITY 7)');
        peer.ok(command);
      }),
    },
  });
  const connection = await opened(server);
  const before = server.received.length;
  return { connection, sent: () => server.names().slice(before) };
}

const shown = ['* LIST () "/" "Fresh"'];

describe('a folder that the server calls missing although LIST shows it', () => {
  it('is opened', async () => {
    const { connection, sent } = await overlooking(shown);
    expect(await connection.select('Fresh')).toMatchObject({ path: 'Fresh' });
    expect(sent()).toEqual(['SELECT', 'LIST', 'SELECT']);
  });

  it('is counted', async () => {
    const { connection } = await overlooking(shown);
    expect((await statusOf(connection, ['Fresh'])).get('Fresh')).toMatchObject({ messages: 1, uidValidity: 7 });
  });

  it('has a stamp', async () => {
    const { connection } = await overlooking(shown);
    expect((await stampsOf(connection, ['Fresh'])).get('Fresh')).toMatchObject({ complete: false });
  });
});

describe('a folder of which LIST tells nothing', () => {
  it.each(['NO', 'BAD'])('is NOT_FOUND by the first answer where the server says %s to the LIST', async (status) => {
    const server = await scripted({
      on: {
        LIST: (command, peer) => peer.send(`${command.tag} ${status} not now`),
        SELECT: (command, peer) => peer.send(`${command.tag} ${MISSING}`),
      },
    });
    const connection = await opened(server);
    await expect(connection.select('Fresh')).rejects.toMatchObject({
      kind: 'NOT_FOUND',
      imap: { text: expect.stringContaining("doesn't exist") },
    });
    expect(connection.usable).toBe(true);
  });
});

describe('a folder that LIST does not show either', () => {
  it.each([
    ['nothing', []],
    ['another folder that the name is a pattern of', ['* LIST () "/" "Freshly"']],
    ['a folder that was deleted', ['* LIST (\\NonExistent) "/" "Fresh"']],
    ['a level without messages', ['* LIST (\\Noselect) "/" "Fresh"']],
  ])('is NOT_FOUND, and not asked for again: %s', async (_what, list) => {
    const { connection, sent } = await overlooking(list);
    await expect(connection.select('Fresh')).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'mailbox' });
    expect(sent()).toEqual(['SELECT', 'LIST']);
    expect((await statusOf(connection, ['Fresh'])).get('Fresh')).toBeNull();
  });
});
