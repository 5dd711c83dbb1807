import { expect, it, onTestFinished } from 'vitest';
import type { Field } from '../../src/protocol/rows.js';
import { directAccount, handlerContext } from '../support/handler-context.js';
import { list } from '../support/plain-handlers.js';
import { ScriptedFolder } from '../support/scripted-folder.js';
import { type ScriptedHandler, startScriptedServer } from '../support/scripted-server.js';

/** A user of something like Gmail, and labels that change without a word of the server. */
async function gmail(count: number) {
  const folder = new ScriptedFolder(count);
  const labels = new Map<number, string>();
  const handlers = folder.handlers();
  const fetch: ScriptedHandler = (command, connection) => {
    if (!command.args.includes('X-GM-')) return handlers[command.name]?.(command, connection);
    const [, set = ''] = /^(\S+)/.exec(command.args) ?? [];
    const [from = 0, to = from] = set.split(':').map(Number);
    const uids = set.includes(':') ? Array.from({ length: to - from + 1 }, (_, at) => from + at) : set.split(',');
    connection.send(
      ...uids.map((uid) => {
        const told = `X-GM-LABELS (${labels.get(Number(uid)) ?? ''}) X-GM-MSGID 12784553442303348${uid}`;
        return `* ${uid} FETCH (UID ${uid} FLAGS () ${told} RFC822.SIZE 5)`;
      }),
    );
    connection.ok(command);
  };
  const capabilities = 'IMAP4rev1 ID IDLE UIDPLUS X-GM-EXT-1';
  const server = await startScriptedServer({ capabilities, on: { ...handlers, FETCH: fetch, 'UID FETCH': fetch } });
  onTestFinished(() => server.close());
  const account = await directAccount(server.server(), { user: 'alice', password: 'x' });
  onTestFinished(() => account.close());
  const context = handlerContext('message.list', account);
  const rows = async (fields: Field[], more: { maxAgeMs?: number; ifState?: string } = {}) => {
    server.received.length = 0;
    const answer = await list(context, { session: 'x', mailbox: 'INBOX', limit: 50, fields, ...more });
    const fetches = server.received.flatMap((line) => /FETCH .*/.exec(line)?.[0] ?? []);
    return { answer, fetches };
  };
  return { labels, rows };
}

it('labels are as they are now in each answer, and nothing else is fetched again', async () => {
  const { labels, rows } = await gmail(2);
  labels.set(1, '"\\\\Inbox"');
  const first = await rows(['size', 'emailId', 'labels']);
  expect(first.answer).toMatchObject({
    messages: [{ labels: [] }, { emailId: '127845534423033481', labels: ['\\Inbox'] }],
  });
  labels.set(2, 'Work');
  const { state } = first.answer as { state: string };
  for (const more of [{}, { maxAgeMs: 60_000 }, { ifState: state }]) {
    const again = await rows(['size', 'emailId', 'labels'], more);
    expect(again.answer).toMatchObject({ messages: [{ labels: ['Work'] }, { labels: ['\\Inbox'] }] });
    expect(again.fetches).toEqual(['FETCH 2,1 (UID X-GM-LABELS)']);
  }
});

it('rows of which no labels are asked are answered from memory as ever', async () => {
  const { rows } = await gmail(2);
  const first = await rows(['size', 'emailId', 'labels']);
  const { state } = first.answer as { state: string };
  const again = await rows(['size', 'emailId']);
  expect(again.fetches).toEqual([]);
  expect((await rows(['size'], { ifState: state })).answer).toMatchObject({ unchanged: true });
});
