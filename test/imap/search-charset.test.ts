import { describe, expect, it } from 'vitest';
import { searchUids } from '../../src/imap/messages/search/search.js';
import type { ScriptedHandler } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

/** A server that searches in these charsets, refuses others, and finds message 2. */
async function searching(takes: readonly string[], refuses: string) {
  const search: ScriptedHandler = (command, client) => {
    const [, charset = 'US-ASCII'] = /^CHARSET (\S+)/.exec(command.args) ?? [];
    if (takes.includes(charset)) client.send('* SEARCH 2', `${command.tag} OK done`);
    else client.send(`${command.tag} ${refuses}`);
  };
  const server = await scripted({ exists: 3, on: { 'UID SEARCH': search } });
  const connection = await opened(server);
  await connection.select('INBOX');
  const sent = () =>
    server.received.filter((line) => line.includes('UID SEARCH')).map((line) => line.replace(/^\S+ /, ''));
  return { connection, sent };
}

const ONLY_ASCII = 'NO [BADCHARSET (US-ASCII)] Charset not supported';

describe('the charset of a search', () => {
  it('is not named where all words are ASCII, control characters included', async () => {
    const { connection, sent } = await searching(['US-ASCII'], ONLY_ASCII);
    expect(await searchUids(connection, { subject: 'apple', or: [{ from: 'bob' }, { text: 'a\tb' }] })).toEqual([2]);
    expect(sent()).toHaveLength(1);
    expect(sent()[0]).toContain('UID SEARCH SUBJECT "apple" OR (FROM "bob") (TEXT {3}\r\na\tb)');
  });

  it('is UTF-8 for other words', async () => {
    const { connection, sent } = await searching(['UTF-8'], ONLY_ASCII);
    expect(await searchUids(connection, { not: { subject: 'Größe' } })).toEqual([2]);
    const octets = Buffer.from('Größe').toString('latin1');
    expect(sent()).toEqual([`UID SEARCH CHARSET UTF-8 NOT (SUBJECT {7}\r\n${octets})`]);
  });

  it('is told apart from what the server cannot search for, and asked for once on a connection', async () => {
    const { connection, sent } = await searching(['US-ASCII'], ONLY_ASCII);
    const refused = {
      kind: 'IMAP_NO',
      field: 'filter',
      message: 'filter: the IMAP server takes no charset that has all characters of the words.',
    };
    const words = { or: [{ subject: 'Größe' }, { subject: 'size' }] };
    await expect(searchUids(connection, words)).rejects.toMatchObject({ ...refused, imap: { code: 'BADCHARSET' } });
    expect(sent()).toHaveLength(1);
    await expect(searchUids(connection, words)).rejects.toMatchObject(refused);
    expect(sent()).toHaveLength(1);
    expect(await searchUids(connection, { subject: 'size' })).toEqual([2]);
  });

  it('is one that the server names and that has all characters, from the second search on at once', async () => {
    const names = 'US-ASCII UTF-16 BASE64 x-none "" ISO-8859-5 ISO-8859-1 windows-1252';
    const { connection, sent } = await searching(['ISO-8859-1', 'ISO-8859-5'], `NO [BADCHARSET (${names})] Unknown`);
    expect(await searchUids(connection, { header: { name: 'X-Size', value: 'Größe' } })).toEqual([2]);
    expect(sent().slice(1)).toEqual(['UID SEARCH CHARSET ISO-8859-1 HEADER "X-Size" {5}\r\nGr\xf6\xdfe']);
    expect(await searchUids(connection, { subject: 'Größe' })).toEqual([2]);
    expect(sent().slice(2)).toEqual(['UID SEARCH CHARSET ISO-8859-1 SUBJECT {5}\r\nGr\xf6\xdfe']);
    expect(await searchUids(connection, { subject: 'заказ' })).toEqual([2]);
    expect(sent().slice(3)).toEqual(['UID SEARCH CHARSET ISO-8859-5 SUBJECT {5}\r\n\xd7\xd0\xda\xd0\xd7']);
    await expect(searchUids(connection, { subject: '日本' })).rejects.toMatchObject({
      kind: 'IMAP_NO',
      field: 'filter',
    });
    expect(sent()).toHaveLength(4);
  });

  it('is the next one where the server refuses what it named', async () => {
    const { connection, sent } = await searching(['windows-1252'], 'NO [BADCHARSET (ISO-8859-1 windows-1252)] Unknown');
    for (const tries of [3, 1]) {
      const before = sent().length;
      expect(await searchUids(connection, { subject: 'Größe' })).toEqual([2]);
      expect(sent().length - before).toBe(tries);
    }
  });

  it('may be refused by BAD, and in words alone', async () => {
    for (const refuses of [
      'BAD Unsupported charset',
      'NO charset not known',
      'NO [BADCHARSET] no',
      'NO [BADCHARSET x] no',
    ]) {
      const { connection } = await searching([], refuses);
      await expect(searchUids(connection, { subject: 'ö' })).rejects.toMatchObject({
        kind: 'IMAP_NO',
        field: 'filter',
      });
    }
  });

  it('has nothing to do with another refusal', async () => {
    for (const refuses of ['BAD what?', 'NO [UNAVAILABLE] later']) {
      const { connection, sent } = await searching([], refuses);
      for (let times = 1; times <= 2; times += 1) {
        const refused = searchUids(connection, { subject: 'ö' });
        await expect(refused).rejects.toMatchObject({ kind: 'IMAP_NO', field: undefined });
        expect(sent()).toHaveLength(times);
      }
    }
  });

  it('is not looked for in a list without end', async () => {
    const names = Array.from({ length: 5000 }, (_, index) => `ISO-8859-${index}`).join(' ');
    const { connection, sent } = await searching([], `NO [BADCHARSET (${names})] no`);
    await expect(searchUids(connection, { subject: 'ö' })).rejects.toMatchObject({ kind: 'IMAP_NO' });
    expect(sent().length).toBeLessThan(22);
  });
});
