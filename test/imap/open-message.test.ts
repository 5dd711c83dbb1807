import { describe, expect, it } from 'vitest';
import { openMessages } from '../../src/imap/messages/open-message.js';
import type { ScriptedHandler } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

interface Message {
  /** What the server says of its structure. */
  structure: string;
  /** The octets of its parts; what is not here is NIL. */
  parts: Record<string, string>;
}

const options = { headers: false, maxTextBytes: 100_000 };

const text = (content: string, size = content.length) =>
  `("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" ${size} 1 NIL NIL NIL NIL)`;
const html = (content: string) => text(content).replace('PLAIN', 'HTML');

const alternative = (plain: string, rich: string): Message => ({
  structure: `(${text(plain)}${html(rich)} "ALTERNATIVE" NIL NIL NIL NIL)`,
  parts: { 1: plain, 2: rich },
});
const single = (content: string): Message => ({ structure: text(content), parts: { 1: content } });

/** Answers as a server does that has these messages, uids from 1 on. */
function fetching(messages: readonly Message[]): ScriptedHandler {
  return (command, client) => {
    for (const uid of command.args.split(' ')[0]?.split(',').map(Number) ?? []) {
      const message = messages[uid - 1];
      if (!message) continue;
      const items = [`UID ${uid}`];
      if (command.args.includes('BODYSTRUCTURE')) items.push(`BODYSTRUCTURE ${message.structure}`);
      for (const [, part = '', start, length] of command.args.matchAll(/BODY\.PEEK\[([^\]]*)\]<(\d+)\.(\d+)>/g)) {
        const octets = message.parts[part]?.slice(Number(start), Number(start) + Number(length));
        items.push(`BODY[${part}]<${start}> ${octets === undefined ? 'NIL' : `{${octets.length}}\r\n${octets}`}`);
      }
      client.raw(`* ${uid} FETCH (${items.join(' ')})\r\n`);
    }
    client.ok(command);
  };
}

async function serving(messages: readonly Message[], answer = fetching(messages)) {
  const server = await scripted({ exists: messages.length, on: { 'UID FETCH': answer } });
  const connection = await opened(server);
  await connection.select('INBOX');
  const fetches = () => server.received.filter((line) => line.includes('UID FETCH')).map((line) => line.slice(2));
  const open = async (uids: number[], maxTextBytes = options.maxTextBytes) => {
    const found = await openMessages(connection, uids, { ...options, maxTextBytes });
    return found.map(({ readable, contents }) => {
      const [text, html] = [readable.textBody, readable.htmlBody].map((body) =>
        body.map(({ part }) => contents.get(part)?.content),
      );
      return [text?.join('\n'), html?.join('\n')];
    });
  };
  return { open, fetches };
}

describe('opening messages', () => {
  it('takes one round trip where the texts are where they are in most messages', async () => {
    const { open, fetches } = await serving([alternative('plain', '<p>rich'), single('alone'), single('')]);
    expect(await open([1, 2, 3])).toEqual([
      ['plain', '<p>rich'],
      ['alone', 'alone'],
      ['', ''],
    ]);
    expect(fetches()).toHaveLength(1);
  });

  it('asks for no more than the rest of a long text', async () => {
    const [plain, rich] = ['p'.repeat(32 * 1024), 'r'.repeat(50_000)];
    const { open, fetches } = await serving([alternative(plain, rich)]);
    expect(await open([1])).toEqual([[plain, rich]]);
    expect(fetches().at(-1)).toContain('BODY.PEEK[2]<32768.');
  });

  it('asks for texts that are elsewhere', async () => {
    const inner = alternative('plain', '<p>rich');
    const attachment = '("APPLICATION" "PDF" NIL NIL NIL "BASE64" 8 NIL ("ATTACHMENT" ("FILENAME" "a.pdf")) NIL NIL)';
    const { open, fetches } = await serving([
      {
        structure: `(${inner.structure}${attachment} "MIXED" NIL NIL NIL NIL)`,
        parts: { 1: '--x\r\n\r\nplain', 2: 'JVBERi0x', '1.1': 'plain', '1.2': '<p>rich' },
      },
    ]);
    expect(await open([1])).toEqual([['plain', '<p>rich']]);
    expect(fetches()).toHaveLength(2);
  });

  it('asks again where the server has another opinion about a part', async () => {
    const message = alternative('plain', '<p>rich');
    const answer = fetching([{ ...message, parts: {} }]);
    const { open, fetches } = await serving([message], (command, client) => {
      if (command.args.includes('BODYSTRUCTURE')) answer(command, client);
      else fetching([message])(command, client);
    });
    expect(await open([1])).toEqual([['plain', '<p>rich']]);
    expect(fetches()).toHaveLength(2);
  });

  it('cuts what came in one round trip where it would be cut otherwise', async () => {
    const { open, fetches } = await serving([alternative('0123456789', 'abcdefghij')]);
    expect(await open([1], 4)).toEqual([['0123', 'abcd']]);
    expect(fetches()).toHaveLength(1);
  });

  it('guesses never again where the server refuses to be asked for what may not be there', async () => {
    const message = single('alone');
    const { open, fetches } = await serving([message], (command, client) => {
      if (command.args.includes('BODY.PEEK[2]')) client.bad(command, 'No such part');
      else fetching([message])(command, client);
    });
    expect(await open([1])).toEqual([['alone', 'alone']]);
    expect(fetches()).toHaveLength(3);
    expect(await open([1])).toEqual([['alone', 'alone']]);
    expect(fetches()).toHaveLength(5);
  });

  it('guesses less of each the more there are, and nothing of very many', async () => {
    const { open, fetches } = await serving(Array.from({ length: 40 }, () => single('alone')));
    const all = Array.from({ length: 40 }, (_, at) => at + 1);
    await open(all.slice(0, 4));
    expect(fetches().at(-1)).toContain('BODY.PEEK[1]<0.16384>');
    expect(await open(all)).toHaveLength(40);
    expect(fetches().at(-2)).not.toContain('PEEK');
  });

  it('asks for no text where none is wanted', async () => {
    const { open, fetches } = await serving([single('alone')]);
    expect(await open([1], 0)).toEqual([['', '']]);
    expect(fetches()).toHaveLength(1);
    expect(fetches().join()).not.toContain('PEEK');
  });
});
