import { describe, expect, it } from 'vitest';
import { openMessages } from '../../../src/imap/messages/open-message.js';
import { sendPart } from '../../../src/methods/message/part.js';
import type { Params } from '../../../src/protocol/contract.js';
import { alice, scripted } from '../../imap/scripted.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import type { ScriptedHandler } from '../../support/scripted-server.js';

const TEXT = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1 NIL NIL NIL NIL)';
const attached = (envelope: string, body: string) =>
  `(${TEXT}("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 ${envelope} ${body} 3 NIL NIL NIL NIL) "MIXED" NIL NIL NIL NIL)`;
const ENVELOPE = '(NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL)';

/** Answers with a structure, and these octets for each section; refuses what it does not have. */
function server(structure: string, octets: Record<string, string>, refuses = false): ScriptedHandler {
  return (command, client) => {
    const items = ['UID 1 FLAGS ()', 'INTERNALDATE "01-Jan-2024 00:00:00 +0000"'];
    if (command.args.includes('BODYSTRUCTURE')) items.push(`BODYSTRUCTURE ${structure}`);
    for (const [, section = '', start] of command.args.matchAll(/BODY\.PEEK\[([^\]]*)\]<(\d+)\.\d+>/g)) {
      const found = octets[section];
      if (found === undefined && refuses) return client.no(command, 'no such section');
      items.push(`BODY[${section}]<${start}> ${found === undefined ? 'NIL' : `{${found.length}}\r\n${found}`}`);
    }
    client.raw(`* 1 FETCH (${items.join(' ')})\r\n`);
    return client.ok(command);
  };
}

async function reading(fetch: ScriptedHandler) {
  const imap = await scripted({ exists: 1, on: { 'UID FETCH': fetch } });
  const account = await directAccount(imap.server(), alice);
  await account.connection.select('INBOX');
  const open = (part: string, headers: boolean | string[] = false) =>
    openMessages(account.connection, [1], { part, headers, maxTextBytes: 100 });
  const part = (params: Pick<Params<'message.part'>, 'part'> & Partial<Params<'message.part'>>) =>
    sendPart(handlerContext('message.part', account), {
      session: 'x',
      mailbox: 'INBOX',
      uidValidity: 1,
      uid: 1,
      offset: 0,
      transfer: 'inline',
      ...params,
    });
  return { open, part, close: () => account.close() };
}

describe('an attached message of an odd server', () => {
  it('has its text where the server refuses sections that may not exist', async () => {
    const { open, close } = await reading(
      server(attached(ENVELOPE, TEXT), { '2.1': 'text', '2.HEADER': 'A: b\r\n' }, true),
    );
    const [message] = await open('2', true);
    expect(message).toMatchObject({ size: 9, envelope: { subject: 'inner' } });
    expect(message?.contents.get('2.1')?.content).toBe('text');
    expect(message?.header?.toString()).toBe('A: b\r\n');
    await expect(open('1', true)).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'part' });
    await expect(open('7', ['a'])).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'part' });
    await close();
  });

  it.each([
    ['without an envelope', attached('NIL', TEXT)],
    ['without a structure', attached(ENVELOPE, 'NIL')],
    ['whose envelope is no list', attached('"x"', TEXT)],
  ])('%s is refused, and says what to do', async (_name, structure) => {
    const { open, close } = await reading(server(structure, {}));
    const failure = await open('2').catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'INVALID_PARAMS', field: 'part' });
    expect((failure as Error).message).toContain('message.part');
    await close();
  });

  it('is sent no further than it is long, whatever form is asked for', async () => {
    // UW-IMAP sends bytes of what follows the part.
    const beyond = { 1: 'text and more', '1.MIME': 'A: b\r\n\r\n' };
    const { part, close } = await reading(server(attached(ENVELOPE, TEXT), beyond));
    for (const form of [{}, { encoded: true }, { as: 'text' as const }]) {
      await expect(part({ part: '1', ...form })).rejects.toMatchObject({ kind: 'IMAP_NO', field: 'part' });
    }
    expect(await part({ part: '1.MIME' })).toMatchObject({ encodedSize: 8, decodedSize: 8 });
    await close();
  });
});

describe('a part without bytes', () => {
  const empty = '("TEXT" "PLAIN" NIL NIL NIL "BASE64" 0 0 NIL NIL NIL NIL)';
  const plain = empty.replace('BASE64', '7BIT');

  it.each([
    ['NIL', {}],
    ['an empty string', { '1': '' }],
  ])('is empty where the server answers %s', async (_what, octets) => {
    for (const structure of [empty, plain]) {
      const { part, close } = await reading(server(structure, octets));
      for (const more of [{}, { as: 'text' as const }, { encoded: true }, { length: 5 }, { offset: 3 }]) {
        expect(await part({ part: '1', ...more }), JSON.stringify(more)).toMatchObject({ data: '', encodedSize: 0 });
      }
      await close();
    }
  });
});
