import { expect, it } from 'vitest';
import { alice, scripted } from '../../imap/scripted.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { get } from '../../support/plain-handlers.js';
import type { ScriptedHandler } from '../../support/scripted-server.js';

const BODY = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL NIL NIL NIL)';

/** A message without flags, which a server answers to each FETCH. */
const fetching: ScriptedHandler = (command, client) => {
  const items = [
    'UID 1 FLAGS ()',
    'RFC822.SIZE 1',
    'INTERNALDATE "01-Jan-2024 00:00:00 +0000"',
    'ENVELOPE (NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)',
    `BODYSTRUCTURE ${BODY}`,
    'BODY[1]<0> "x"',
    'BODY[2]<0> NIL',
  ];
  client.send(`* 1 FETCH (${items.join(' ')})`);
  client.ok(command);
};

/** Opens the message with markSeen, as often as asked. */
async function marking(on: Record<string, ScriptedHandler>, times = 1, part?: string) {
  const server = await scripted({ exists: 1, on: { 'UID FETCH': fetching, ...on } });
  const account = await directAccount(server.server(), alice);
  const context = handlerContext('message.get', account);
  const flags: unknown[] = [];
  for (let count = 0; count < times; count += 1) {
    const params = { session: 'x', mailbox: 'INBOX', uidValidity: 1, uids: [1], headers: false, maxTextBytes: 100 };
    const { messages } = await get(context, { ...params, part, markSeen: true }).catch((failure) => {
      flags.push(failure.kind);
      return { messages: undefined };
    });
    if (messages) flags.push(messages[0]?.flags);
  }
  await account.close();
  return { flags, stores: server.received.filter((line) => line.includes('UID STORE')).length };
}

it('a folder that is read-only answers its messages without the flag, and is asked for none', async () => {
  const select: ScriptedHandler = (command, client) => {
    client.send('* FLAGS (\\Seen)', '* OK [PERMANENTFLAGS ()] none', '* 1 EXISTS', '* OK [UIDVALIDITY 1] valid');
    client.send('* OK [UIDNEXT 2] next', `${command.tag} OK [READ-ONLY] selected`);
  };
  expect(await marking({ SELECT: select }, 2)).toEqual({ flags: [[], []], stores: 0 });
});

it('a folder whose server refuses the flag answers its messages without it', async () => {
  const refuse: ScriptedHandler = (command, client) => client.no(command, 'not yours');
  expect(await marking({ 'UID STORE': refuse })).toEqual({ flags: [[]], stores: 1 });
});

it('a server that does not tell the flags of its own answer has set the flag all the same', async () => {
  expect(await marking({ 'UID STORE': (command, client) => client.ok(command) })).toEqual({
    flags: [['\\Seen']],
    stores: 1,
  });
});

it.each([
  ['1', 'INVALID_PARAMS'],
  ['9999.9999', 'NOT_FOUND'],
])('part %s that is no message marks nothing', async (part, kind) => {
  expect(await marking({ 'UID STORE': (command, client) => client.ok(command) }, 2, part)).toEqual({
    flags: [kind, kind],
    stores: 0,
  });
});

it('an attached message marks the message that it is attached to, once', async () => {
  const inner = `("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ${BODY} 1)`;
  const fetch: ScriptedHandler = (command, client) => {
    client.send(
      `* 1 FETCH (UID 1 FLAGS () INTERNALDATE "01-Jan-2024 00:00:00 +0000" BODYSTRUCTURE (${inner} "MIXED") BODY[1.1]<0> "x" BODY[1.2]<0> NIL)`,
    );
    client.ok(command);
  };
  const store: ScriptedHandler = (command, client) => client.ok(command);
  expect(await marking({ 'UID FETCH': fetch, 'UID STORE': store }, 2, '1')).toEqual({
    flags: [['\\Seen'], ['\\Seen']],
    stores: expect.any(Number),
  });
});
