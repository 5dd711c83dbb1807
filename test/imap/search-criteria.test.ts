import { describe, expect, it } from 'vitest';
import { countHits } from '../../src/imap/messages/search/count-hits.js';
import { compileCriteria, isFleeting, keysFor, searchUids } from '../../src/imap/messages/search/search.js';
import { type Criteria, criteria as schema } from '../../src/protocol/criteria.js';
import type { ScriptedHandler, ScriptedOptions } from '../support/scripted-server.js';
import { opened, scripted } from './scripted.js';

const BASE = 'IMAP4rev1 SASL-IR AUTH=PLAIN ID NAMESPACE';

async function selected(capabilities: string, options: ScriptedOptions = {}) {
  const server = await scripted({ exists: 9, capabilities: `${BASE} ${capabilities}`, ...options });
  const connection = await opened(server);
  await connection.select('INBOX');
  const before = server.received.length;
  const sent = () => server.received.slice(before).map((line) => line.slice(line.indexOf(' ') + 1));
  return { connection, sent };
}

/** The command that criteria become. */
async function sentFor(capabilities: string, criteria: Criteria): Promise<string[]> {
  const { connection, sent } = await selected(capabilities);
  await searchUids(connection, criteria);
  return sent();
}

describe('criteria as a server takes them', () => {
  it.each<[string, Criteria, string]>([
    ['OBJECTID', { emailId: 'M1-a_B' }, 'EMAILID M1-a_B'],
    ['OBJECTID', { threadId: '17' }, 'THREADID 17'],
    ['OBJECTID X-GM-EXT-1', { threadId: '17' }, 'THREADID 17'],
    ['X-GM-EXT-1', { emailId: '18446744073709551615' }, 'X-GM-MSGID 18446744073709551615'],
    ['X-GM-EXT-1', { not: { threadId: '17' } }, 'NOT (X-GM-THRID 17)'],
    ['X-GM-EXT-1', { label: 'Größe & "so"' }, 'X-GM-LABELS "Gr&APYA3w-e &- \\"so\\""'],
    ['X-GM-EXT-1', { label: '\\Inbox' }, 'X-GM-LABELS \\Inbox'],
    ['X-GM-EXT-1', { gmailRaw: 'is:unread "x y"' }, 'X-GM-RAW "is:unread \\"x y\\""'],
    ['SEARCH=FUZZY', { fuzzy: { subject: 'x', seen: true } }, 'FUZZY (SEEN SUBJECT "x" UID 1:*)'],
    ['WITHIN', { youngerThanSeconds: 60, or: [{ olderThanSeconds: 9 }] }, 'YOUNGER 60 (OLDER 9)'],
    ['SAVEDATE', { savedOn: '2024-03-01' }, 'SAVEDON 1-Mar-2024'],
    ['', { sentOn: '0024-12-31' }, 'SENTON 31-Dec-0024'],
    ['', { uidAfter: 7 }, 'UID 8:* NOT UID 1:7'],
    ['', { uidRanges: [{ from: 3 }, { from: 1, to: 1 }] }, 'OR (UID 1) (UID 3:* NOT UID 1:2)'],
    ['', { uidRanges: [{ from: 3, to: 5 }, { from: 6 }] }, 'UID 3:* NOT UID 1:2'],
    ['', { or: [{}] }, '(ALL)'],
    ['', {}, 'ALL'],
  ])('with %s: %j', async (capabilities, criteria, expected) => {
    expect(schema.safeParse(criteria).error).toBeUndefined();
    const [command] = await sentFor(capabilities, criteria);
    // A group of one key alone has parentheses, which do no harm.
    const plain = command?.replace(/^UID SEARCH (?:RETURN \(ALL\) )?/, '');
    expect([expected, `(${expected})`]).toContain(plain);
  });

  it('are refused where the folder keeps no mod-sequences, and what is none', async () => {
    const { connection } = await selected('CONDSTORE');
    await expect(keysFor(connection, { modseqSince: '5' })).rejects.toMatchObject({
      kind: 'UNSUPPORTED',
      message: 'filter.modseqSince: the folder keeps no mod-sequences.',
    });
    const on = { SELECT: withModseq };
    const { connection: keeping } = await selected('CONDSTORE', { on });
    await expect(keysFor(keeping, { modseqSince: '9223372036854775808' })).rejects.toMatchObject({
      kind: 'INVALID_PARAMS',
      field: 'filter.modseqSince',
    });
    expect(await keysFor(keeping, { modseqSince: '007' })).toMatchObject([{ value: 'MODSEQ' }, { value: '7' }]);
  });

  it.each<[Criteria, string, string]>([
    [{ emailId: 'abc' }, 'filter.emailId', 'an identifier of Gmail is a decimal number of 64 bits.'],
    [{ threadId: '18446744073709551616' }, 'filter.threadId', 'an identifier of Gmail is a decimal number of 64 bits.'],
    [{ uidRanges: [{ from: 1 }, { from: 5, to: 4 }] }, 'filter.uidRanges.1.to', 'below from.'],
    [{ or: [{ not: { keyword: 'two words' } }] }, 'filter.or.0.not.keyword', 'must be an IMAP keyword.'],
    [nested(21), 'filter', 'nested deeper than 20 levels.'],
    [wide(201), 'filter', 'more than 200 conditions in all groups.'],
    [{ and: Array.from({ length: 20 }, () => wide(11, {})) }, 'filter', 'more than 200 conditions in all groups.'],
  ])('are refused with their place: %#', async (criteria, field, why) => {
    const { connection } = await selected('X-GM-EXT-1');
    const wrong = { kind: 'INVALID_PARAMS', field, message: `${field}: ${why}`, executed: 'no' };
    await expect(searchUids(connection, criteria)).rejects.toMatchObject(wrong);
  });

  it('may have 200 conditions and 20 levels', async () => {
    const { connection, sent } = await selected('');
    await searchUids(connection, wide(200));
    await searchUids(connection, nested(20));
    expect(sent()).toHaveLength(2);
    expect(compileCriteria(wide(200)).length).toBeGreaterThan(0);
  });

  it.each<[Criteria, string]>([
    [{ uidRanges: [] }, 'uidRanges'],
    [{ uidRanges: Array.from({ length: 1001 }, () => ({ from: 1 })) }, 'uidRanges'],
    [{ uidRanges: [{ from: 0 }] }, 'uidRanges'],
    [{ uidAfter: -1 }, 'uidAfter'],
    [{ uidAfter: 4_294_967_295 }, 'uidAfter'],
    [{ modseqSince: '' }, 'modseqSince'],
    [{ modseqSince: '1 ALL' }, 'modseqSince'],
    [{ emailId: '' }, 'emailId'],
    [{ emailId: 'a b' }, 'emailId'],
    [{ threadId: 'x'.repeat(256) }, 'threadId'],
    [{ label: '' }, 'label'],
    [{ label: '\\In box' }, 'label'],
    [{ label: 'a\nb' }, 'label'],
    [{ gmailRaw: 'x'.repeat(1001) }, 'gmailRaw'],
    [{ youngerThanSeconds: 0 }, 'youngerThanSeconds'],
    [{ olderThanSeconds: 4_294_967_296 }, 'olderThanSeconds'],
    [{ receivedOn: '2024-02-30' }, 'receivedOn'],
    [{ savedOn: 'today' }, 'savedOn'],
    [{ or: [] }, 'or'],
  ])('have bounds in the contract: %#', (criteria, field) => {
    expect(schema.safeParse(criteria).error?.issues[0]?.path[0]).toBe(field);
  });
});

describe('what criteria found', () => {
  it.each<[Criteria, boolean]>([
    [{}, false],
    [{ seen: true, receivedOn: '2024-05-06', threadId: 'T' }, false],
    [{ or: [{ not: { olderThanSeconds: 5 } }] }, true],
    [{ youngerThanSeconds: 5 }, true],
    [{ fuzzy: { and: [{ label: 'Work' }] } }, true],
    [{ gmailRaw: 'newer_than:1d' }, true],
  ])('may be kept or not: %j', (criteria, fleeting) => {
    expect(isFleeting(criteria)).toBe(fleeting);
  });
});

describe('criteria at a server that answers what was not asked for', () => {
  const answering =
    (line: string): ScriptedHandler =>
    (command, client) =>
      client.send(line, `${command.tag} OK done`);

  it.each<[Criteria, number[]]>([
    [{ uidAfter: 5 }, [6, 9]],
    [{ uidAfter: 9 }, []],
    [{ uidRanges: [{ from: 2, to: 3 }, { from: 9 }] }, [2, 9]],
    [{ uids: [1, 6] }, [1, 6]],
    [{ and: [{ and: [{ uidAfter: 1 }] }, { uidRanges: [{ from: 1, to: 6 }] }] }, [2, 5, 6]],
    [{ or: [{ uidAfter: 5 }] }, [1, 2, 5, 6, 9]],
  ])('hits that cannot be are left out: %j', async (criteria, uids) => {
    const on = { 'UID SEARCH': answering('* SEARCH 9 1 2 6 5') };
    const { connection } = await selected('', { on });
    expect(await searchUids(connection, criteria)).toEqual(uids);
  });

  it('hits without end cost it its connection', async () => {
    const on = { 'UID SEARCH': answering('* ESEARCH UID ALL 1:4294967295') };
    const { connection } = await selected('ESEARCH', { on });
    await expect(searchUids(connection, { youngerThanSeconds: 5 })).rejects.toMatchObject({ kind: 'TOO_LARGE' });
    expect(connection.usable).toBe(false);
  });
});

describe('ages without WITHIN', () => {
  const now = () => new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/, '$1-$2-$3 $4 +0000');
  const found =
    (uids: string): ScriptedHandler =>
    (command, client) =>
      client.send(`* SEARCH ${uids}`, `${command.tag} OK done`);

  it('cost one SEARCH and one FETCH each, and no date is fetched twice', async () => {
    const on: Record<string, ScriptedHandler> = {
      'UID SEARCH': found('2 3 5'),
      'UID FETCH': (command, client) => {
        // Message 9 was not asked for; 5 is gone; the date of 3 is none.
        for (const uid of [2, 9]) client.send(`* ${uid} FETCH (UID ${uid} INTERNALDATE "${now()}")`);
        client.send('* 3 FETCH (UID 3 INTERNALDATE "soon")', `${command.tag} OK done`);
      },
    };
    const { connection, sent } = await selected('', { on });
    await searchUids(connection, {
      or: [{ youngerThanSeconds: 3600 }, { not: { olderThanSeconds: 3600 } }, { olderThanSeconds: 7200 }],
    });
    const [first, fetched, second, last] = sent();
    expect([first, second]).toEqual([
      expect.stringMatching(/SINCE \S+ BEFORE/),
      expect.stringMatching(/SINCE \S+ BEFORE/),
    ]);
    expect(fetched).toBe('UID FETCH 2:3,5 (UID INTERNALDATE)');
    // Message 5, whose date did not come, is asked for once more.
    expect(sent()[3]).toBe('UID FETCH 5 (UID INTERNALDATE)');
    expect(sent()).toHaveLength(5);
    expect(last).toBeDefined();
    expect(sent()[4]).toMatch(/OR \(.*\(UID 2\)\)/);
    expect(sent()[4]).toMatch(/\(OR \(BEFORE \S+\) \(UID 3\)/);
    expect(sent()[4]).not.toMatch(/\b[59]\)/);
  });

  it('are bounded in number and in messages', async () => {
    const many = { and: Array.from({ length: 11 }, (_, index) => ({ olderThanSeconds: index + 1 })) };
    const { connection, sent } = await selected('');
    await expect(searchUids(connection, many)).rejects.toMatchObject({
      kind: 'INVALID_PARAMS',
      field: 'filter.and.10.olderThanSeconds',
    });
    expect(sent()).toEqual([]);
    const on = { 'UID SEARCH': found(Array.from({ length: 20_001 }, (_, index) => index + 1).join(' ')) };
    const { connection: full } = await selected('', { on, exists: 20_001 });
    await expect(searchUids(full, { not: { youngerThanSeconds: 9 } })).rejects.toMatchObject({
      kind: 'TOO_LARGE',
      field: 'filter.not.youngerThanSeconds',
    });
  });
});

const withModseq: ScriptedHandler = (command, client) =>
  client.send(
    '* 9 EXISTS',
    '* OK [UIDVALIDITY 1] x',
    '* OK [HIGHESTMODSEQ 17] x',
    `${command.tag} OK [READ-WRITE] done`,
  );

function nested(levels: number): Criteria {
  let criteria: Criteria = { seen: true };
  for (let level = 0; level < levels; level += 1) criteria = { not: criteria };
  return criteria;
}

/** So many conditions, at most twenty in a group, and one that holds the groups. */
function wide(count: number, leaf: Criteria = { seen: true }): Criteria {
  if (count <= 20) return { or: Array.from({ length: count }, () => leaf) };
  const groups = Array.from({ length: Math.floor(count / 20) }, () => wide(20, leaf));
  return count % 20 === 0 ? { or: groups } : { or: [...groups, wide(count % 20, leaf)] };
}

describe('criteria that are long', () => {
  const odd = Array.from({ length: 10_000 }, (_, index) => 2 * index + 100_001);
  const around = `UID 100001:${odd.at(-1)}`;
  const SEARCH: ScriptedHandler = (command, client) => {
    client.send(`* SEARCH 100001 100002 100003 ${odd.at(-1)}`);
    client.ok(command);
  };
  const on = { 'UID SEARCH': SEARCH };

  it.each<[string, Criteria]>([
    ['uids', { uids: odd }],
    ['ranges', { uidRanges: odd.slice(0, 1000).map((uid) => ({ from: uid, to: uid })) }],
    ['uids in a group', { and: [{ seen: true }, { uids: odd }] }],
  ])('because of %s are sent as a range, and other hits are left out', async (_what, criteria) => {
    const { connection, sent } = await selected('', { on });
    const hits = await searchUids(connection, criteria);
    expect(hits.slice(0, 2)).toEqual([100_001, 100_003]);
    const [command = ''] = sent();
    expect(command.length).toBeLessThan(100);
    expect(command).toContain('UID 100001:1');
  });

  it('count as they are searched', async () => {
    const { connection, sent } = await selected('ESEARCH', { on });
    expect(await countHits(connection, { uids: odd })).toBe(3);
    expect(sent()).toEqual([`UID SEARCH RETURN (ALL) (${around})`]);
  });

  it.each<[string, Criteria]>([
    ['uids of which others must be', { not: { uids: odd } }],
    ['uids of which any may be', { or: [{ uids: odd }, { seen: true }] }],
    ['words', { and: Array.from({ length: 20 }, () => ({ or: letters().map((text) => ({ text })) })) }],
  ])('because of %s name the limit, and nothing is sent', async (_what, criteria) => {
    const { connection, sent } = await selected('');
    await expect(searchUids(connection, criteria)).rejects.toMatchObject({
      kind: 'INVALID_PARAMS',
      field: 'filter',
      message: expect.stringContaining('60000 bytes'),
    });
    expect(sent()).toEqual([]);
  });
});

function letters(): string[] {
  return Array.from({ length: 10 }, () => 'x'.repeat(1000));
}
