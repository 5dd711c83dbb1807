import { describe, expect, it } from 'vitest';
import type { ImapConnection } from '../../../src/imap/connection/connection.js';
import { fetchRange, fetchSummaries } from '../../../src/imap/messages/fetch.js';
import type { Field } from '../../../src/protocol/rows.js';
import type { ScriptedCommand, ScriptedConnection, ScriptedServer } from '../../support/scripted-server.js';
import { opened, scripted } from '../scripted.js';

type Items = (uid: number, asked: string) => string | undefined;

/** A server with messages of which some are refused, and all that it was asked. */
async function serverOf(
  {
    count = 8,
    refuses = () => false,
    answers = true,
  }: { count?: number; refuses?: (uid: number, items: string) => boolean; answers?: boolean },
  items: Items,
  capabilities = 'IMAP4rev1 UIDPLUS',
): Promise<{ server: ScriptedServer; connection: ImapConnection }> {
  const fetch = (command: ScriptedCommand, connection: ScriptedConnection) => {
    const [, set = '', asked = ''] = /^(\S+) (.*)$/.exec(command.args) ?? [];
    const uids = set.split(',').flatMap((range) => {
      const [from = 0, to = from] = range.split(':').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
    const bad = uids.filter((uid) => refuses(uid, asked));
    const told = bad.length > 0 && !answers ? [] : uids.filter((uid) => uid <= count && !bad.includes(uid));
    for (const uid of told) {
      const row = `* ${uid} FETCH (UID ${uid} ${items(uid, asked) ?? 'FLAGS ()'})\r\n`;
      connection.raw(row);
    }
    if (bad.length > 0) connection.no(command, 'Some messages could not be FETCHed (Failure)');
    else connection.ok(command);
  };
  const server = await scripted({ capabilities, exists: count, on: { FETCH: fetch, 'UID FETCH': fetch } });
  const connection = await opened(server);
  await connection.select('INBOX');
  server.received.length = 0;
  return { server, connection };
}

const text = (part: string) => `("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" ${part.length} 1)`;
const all = [1, 2, 3, 4, 5, 6, 7, 8];

/** A message whose text is in part 1, or in part 1.1. */
const mail: Items = (uid, asked) => {
  const body = `Message ${uid}`;
  const inner = `${text(body)}("IMAGE" "PNG" NIL NIL NIL "BASE64" 4) "mixed"`;
  const structure = uid % 2 ? text(body) : `((${inner})("IMAGE" "PNG" NIL NIL NIL "BASE64" 4) "mixed")`;
  const section = /BODY\.PEEK\[([\d.]+)\]/.exec(asked)?.[1];
  return [
    ...(asked.includes('FLAGS') ? ['FLAGS (\\Seen)'] : []),
    ...(asked.includes('RFC822.SIZE') ? [`RFC822.SIZE ${uid}`] : []),
    ...(asked.includes('PREVIEW') ? [`PREVIEW ${uid === 3 ? 'NIL' : uid === 4 ? '""' : `"Server ${uid}"`}`] : []),
    ...(asked.includes('BODYSTRUCTURE') ? [`BODYSTRUCTURE ${structure}`] : []),
    ...(section ? [`BODY[${section}]<0> {${body.length}}\r\n${body}`] : []),
  ].join(' ');
};

const sorted = <T extends { uid: number }>(rows: T[]): T[] => rows.sort((a, b) => a.uid - b.uid);

describe('rows', () => {
  it('get their previews in one round trip, whatever the numbers of the parts', async () => {
    const { server, connection } = await serverOf({}, mail);
    // The second command must come before the first is answered.
    const answer = server.on['UID FETCH'];
    const waiting: (() => void)[] = [];
    server.on['UID FETCH'] = (command, at) => {
      waiting.push(() => void answer?.(command, at));
      if (waiting.length === 2) for (const one of waiting) one();
    };
    const rows = sorted(await fetchRange(connection, '1:8', 'sequence', ['flags', 'preview']));
    expect(rows.map(({ preview }) => preview)).toEqual(all.map((uid) => `Message ${uid}`));
    expect(server.names()).toEqual(['FETCH', 'UID FETCH', 'UID FETCH']);
  });

  it('take previews in the order in which the server answers, also the second command first', async () => {
    const { server, connection } = await serverOf({}, mail);
    const answer = server.on['UID FETCH'];
    const waiting: (() => void)[] = [];
    server.on['UID FETCH'] = (command, at) => {
      waiting.unshift(() => void answer?.(command, at));
      if (waiting.length === 2) for (const one of waiting) one();
    };
    const rows = sorted(await fetchRange(connection, '1:8', 'sequence', ['preview']));
    expect(rows.map(({ preview }) => preview)).toEqual(all.map((uid) => `Message ${uid}`));
  });

  it('whose server has no preview for some messages have those of the broker', async () => {
    const { server, connection } = await serverOf({}, mail, 'IMAP4rev1 PREVIEW');
    const rows = sorted(await fetchSummaries(connection, all, ['preview']));
    expect(rows.map(({ preview }) => preview)).toEqual(
      all.map((uid) => (uid === 3 || uid === 4 ? `Message ${uid}` : `Server ${uid}`)),
    );
    expect(rows.slice(1, 5).map(({ previewSource }) => previewSource)).toEqual([
      'server',
      'broker',
      'broker',
      'server',
    ]);
    expect(server.received.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'UID FETCH 1,2,3,4,5,6,7,8 (UID PREVIEW)',
      'UID FETCH 3,4 (UID BODYSTRUCTURE)',
      'UID FETCH 3 (UID BODY.PEEK[1]<0.3072>)',
      'UID FETCH 4 (UID BODY.PEEK[1.1]<0.3072>)',
    ]);
  });

  it.each([
    ['that sends the others before', true],
    ['that sends nothing', false],
  ])('of a server %s it refuses one of many lose the preview of that one', async (_how, answers) => {
    const refuses = (uid: number, items: string) => uid === 5 && items.includes('BODY.PEEK');
    const { server, connection } = await serverOf({ refuses, answers }, mail);
    const rows = sorted(await fetchRange(connection, '1:8', 'sequence', ['size', 'preview']));
    expect(rows.map(({ preview }) => preview)).toEqual(all.map((uid) => (uid === 5 ? null : `Message ${uid}`)));
    expect(rows[4]).toEqual({ uid: 5, size: 5, preview: null, previewSource: null, unreadable: ['preview'] });
    expect(rows[5]?.unreadable).toBeUndefined();
    expect(server.names().length).toBeLessThan(12);
  });

  it.each([
    ['the structure', 'BODYSTRUCTURE', ['structure']],
    ['all but the flags', 'SIZE', ['size', 'structure']],
  ])('of which the server refuses %s of one of many are there', async (_what, item, unreadable) => {
    const refuses = (uid: number, items: string) => uid === 5 && items.includes(item);
    const { connection } = await serverOf({ refuses, answers: false }, mail);
    const rows = sorted(await fetchRange(connection, '1:8', 'sequence', ['flags', 'size', 'structure']));
    expect(rows.map(({ uid, unreadable }) => [uid, unreadable])).toEqual(
      all.map((uid) => [uid, uid === 5 ? unreadable : undefined]),
    );
    expect(rows.every(({ flags }) => flags?.includes('\\Seen'))).toBe(true);
  });

  it('of a server that refuses them all are an error, after a bounded number of commands', async () => {
    const refuses = (_uid: number, items: string) => items.includes('SIZE');
    const { server, connection } = await serverOf({ count: 200, refuses, answers: false }, mail);
    await expect(fetchRange(connection, '1:200', 'sequence', ['size'])).rejects.toMatchObject({ kind: 'IMAP_NO' });
    expect(server.names().length).toBeLessThan(40);
  });

  it('of a server that is busy are an error at once', async () => {
    const { server, connection } = await serverOf({}, mail);
    server.on.FETCH = (command, at) => at.no(command, '[UNAVAILABLE] later');
    await expect(fetchRange(connection, '1:8', 'sequence', ['size'])).rejects.toMatchObject({ kind: 'IMAP_NO' });
    expect(server.names()).toEqual(['FETCH']);
  });

  it('that are damaged in the answer with the texts lose their previews alone', async () => {
    const { connection } = await serverOf({}, (uid, asked) =>
      uid === 3 && asked.includes('BODY.PEEK') ? 'BODY[1]<0> "half' : mail(uid, asked),
    );
    const rows = sorted(await fetchRange(connection, '1:8', 'sequence', ['preview']));
    expect(rows.map(({ preview }) => preview)).toEqual(all.map((uid) => (uid === 3 ? null : `Message ${uid}`)));
    expect(rows[2]?.unreadable).toEqual(['preview']);
  });
});

describe('rows with raw letters', () => {
  const envelope = (uid: number) => `ENVELOPE (NIL {1}\r\n\xe4 NIL NIL NIL NIL NIL NIL NIL "<${uid}@a>")`;
  const raw: Items = (uid, asked) =>
    asked.includes('BODYSTRUCTURE')
      ? 'BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "iso-8859-5") NIL NIL "7BIT" 3 1)'
      : envelope(uid);

  it.each([
    ['that sends the others before', true],
    ['that sends nothing', false],
  ])('of a server %s it refuses one structure are there, that one in a guessed charset', async (_how, answers) => {
    const refuses = (uid: number, items: string) => uid === 5 && items.includes('BODYSTRUCTURE');
    const { server, connection } = await serverOf({ refuses, answers }, raw);
    const rows = sorted(await fetchRange(connection, '1:8', 'sequence', ['envelope']));
    expect(rows.map((row) => row.envelope?.subject)).toEqual(all.map((uid) => (uid === 5 ? 'ä' : 'ф')));
    expect(server.names().length).toBeLessThan(12);
  });
});

describe('a preview of the server', () => {
  it.each([
    ['a'.repeat(300_000), 'a'.repeat(256)],
    ['\x01 a\x1b[2J\r\n b\u200b\u200b ', 'a [2J b'],
    [`${'\u{1f600}'.repeat(300)}`, '\u{1f600}'.repeat(256)],
  ])('is shown without control characters, in at most 256 characters: %#', async (sent, shown) => {
    const bytes = Buffer.from(sent);
    const items: Items = () => `PREVIEW {${bytes.length}}\r\n${bytes.toString('latin1')}`;
    const { connection } = await serverOf({}, items, 'IMAP4rev1 PREVIEW');
    expect(await fetchSummaries(connection, [1], ['preview'])).toEqual([
      { uid: 1, preview: shown, previewSource: 'server' },
    ]);
  });

  it('of nothing visible is replaced by one of the broker', async () => {
    const items: Items = (uid, asked) => (asked.includes('PREVIEW') ? 'PREVIEW {3}\r\n\xe2\x80\x8b' : mail(uid, asked));
    const { connection } = await serverOf({}, items, 'IMAP4rev1 PREVIEW');
    expect(await fetchSummaries(connection, [1], ['preview'])).toEqual([
      { uid: 1, preview: 'Message 1', previewSource: 'broker' },
    ]);
  });
});

const fields: Field[] = ['emailId', 'threadId', 'labels'];

describe('stable ids', () => {
  it('are those of OBJECTID', async () => {
    const items: Items = (uid) => `EMAILID (M${uid}) THREADID ${uid === 2 ? 'NIL' : `(T${uid})`}`;
    const { server, connection } = await serverOf({}, items, 'IMAP4rev1 OBJECTID');
    expect(sorted(await fetchSummaries(connection, [1, 2], fields))).toEqual([
      { uid: 1, emailId: 'M1', threadId: 'T1', labels: null },
      { uid: 2, emailId: 'M2', threadId: null, labels: null },
    ]);
    expect(server.received[0]).toMatch(/UID FETCH 1,2 \(UID EMAILID THREADID\)$/);
  });

  it('and labels are those of Gmail', async () => {
    const labels = ['"\\\\Inbox" "\\\\Important" Work "A b" "Gr&APwA3w-e"', ''];
    const items: Items = (uid) =>
      `X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888 X-GM-LABELS (${labels[uid - 1]})`;
    const { server, connection } = await serverOf({}, items, 'IMAP4rev1 X-GM-EXT-1');
    const ids = { emailId: '1278455344230334865', threadId: '1266894439832287888' };
    expect(sorted(await fetchSummaries(connection, [1, 2], fields))).toEqual([
      { uid: 1, ...ids, labels: ['\\Inbox', '\\Important', 'Work', 'A b', 'Grüße'] },
      { uid: 2, ...ids, labels: [] },
    ]);
    expect(server.received[0]).toMatch(/\(UID X-GM-MSGID X-GM-THRID X-GM-LABELS\)$/);
  });
});

describe('odd ids and labels', () => {
  it('that are no ids of the standard are none', async () => {
    const ids = [`{300}\r\n${'M'.repeat(300)}`, '"a b"', '("\\"")', '()', 'NIL', '(({1}\r\nx))'];
    const items: Items = (uid) => `EMAILID ${ids[uid - 1]} THREADID ${ids[uid - 1]}`;
    const { connection } = await serverOf({}, items, 'IMAP4rev1 OBJECTID');
    const rows = await fetchSummaries(connection, [1, 2, 3, 4, 5, 6], ['emailId', 'threadId']);
    expect(rows.map(({ emailId, threadId }) => [emailId, threadId])).toEqual(ids.map(() => [null, null]));
  });

  it('of more bytes than a row may have are cut and say so', async () => {
    const long = `{70000}\r\n${'L'.repeat(70_000)}`;
    const { connection } = await serverOf({}, () => `X-GM-LABELS (a NIL ${long} (x) "" b)`, 'IMAP4rev1 X-GM-EXT-1');
    expect(await fetchSummaries(connection, [1], ['labels'])).toEqual([
      { uid: 1, labels: ['a'], unreadable: ['labels'] },
    ]);
  });
});

describe('header lines', () => {
  it('are asked for by any name, and cut where they are too long', async () => {
    const value = 'x'.repeat(20_000);
    const lines = [`A: 1\r\nLong: ${value}`.slice(0, 16_384), 'A: 1\r\nodd(name): 2\r\n\r\n'];
    const items: Items = (uid) => {
      const header = lines[uid - 1] ?? '';
      return `BODY[HEADER.FIELDS ("odd(name)" Long A)]<0> {${header.length}}\r\n${header}`;
    };
    const { server, connection } = await serverOf({}, items);
    const headers = ['odd(name)', 'Long', 'A', 'a'];
    const [first, second] = sorted(await fetchSummaries(connection, [1, 2], [{ headers }]));
    expect(first?.unreadable).toEqual(['headers']);
    expect(first?.headers?.map(({ name }) => name)).toEqual(['Long', 'A']);
    expect(second).toEqual({
      uid: 2,
      headers: [
        { name: 'odd(name)', value: '2' },
        { name: 'A', value: '1' },
      ],
    });
    expect(server.received[0]).toContain('(UID BODY.PEEK[HEADER.FIELDS ("odd(name)" Long A)]<0.16384>)');
  });

  it('of a server that sends more than it was asked for are cut all the same', async () => {
    const header = `A: ${'x'.repeat(1024 * 1024)}\r\n\r\n`;
    const items: Items = () => `BODY[HEADER.FIELDS (A)]<0> {${header.length}}\r\n${header}`;
    const { connection } = await serverOf({}, items);
    const [row] = await fetchSummaries(connection, [1], [{ headers: ['A'] }]);
    expect(row?.unreadable).toEqual(['headers']);
    expect(row?.headers?.[0]?.value.length).toBeLessThan(16_384);
  });
});

describe('structures', () => {
  it('that are too long are cut, and their attachments too', async () => {
    const name = 'n'.repeat(200);
    const part = `("APPLICATION" "PDF" ("NAME" "${name}") NIL NIL "BASE64" 4)`;
    const items: Items = () => `BODYSTRUCTURE (${part.repeat(900)} "mixed")`;
    const { connection } = await serverOf({}, items);
    const [row] = await fetchSummaries(connection, [1], ['structure', 'attachments', 'hasAttachment']);
    expect(row?.unreadable).toEqual(['structure', 'attachments']);
    expect(row?.hasAttachment).toBe(true);
    expect(JSON.stringify(row).length).toBeLessThan(140_000);
    expect(row?.structure?.children.length).toBeGreaterThan(9);
    expect(row?.attachments?.length).toBeGreaterThan(9);
  });
});
