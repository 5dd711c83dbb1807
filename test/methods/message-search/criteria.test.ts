import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImapConnection } from '../../../src/imap/connection/connection.js';
import { searchUids } from '../../../src/imap/messages/search/search.js';
import { type Criteria, criteria as schema } from '../../../src/protocol/criteria.js';
import { Dovecot, newUser, PASSWORD } from '../../support/dovecot.js';
import { message } from '../../support/mail.js';

const begun = Date.now();
const HOUR = 3600;
const DAY = 24 * HOUR;

/** What servers say that they can do: Dovecot without a list of its own says all. */
const offers = {
  full: undefined,
  'CONDSTORE alone': 'IMAP4rev1 SASL-IR ID ENABLE CONDSTORE',
  'without WITHIN and SAVEDATE': 'IMAP4rev1 SASL-IR ID ENABLE CONDSTORE QRESYNC ESEARCH LITERAL+',
  bare: 'IMAP4rev1 SASL-IR ID',
} as const;
type Offer = keyof typeof offers;
const names = Object.keys(offers) as Offer[];

interface Sample {
  uid: number;
  /** Seconds since it came. */
  age: number;
  flags: string[];
  subject: string;
}

/** Uids 1 to 12, of which 5 and 12, the last, are expunged. */
const samples: Sample[] = [
  { uid: 1, age: 400 * DAY, flags: ['\\Seen'], subject: 'apple' },
  { uid: 2, age: 30 * DAY, flags: [], subject: 'banana' },
  { uid: 3, age: 3 * DAY, flags: ['\\Seen', '\\Flagged'], subject: 'apple pie' },
  { uid: 4, age: 50 * HOUR, flags: ['\\Draft'], subject: 'cherry' },
  { uid: 6, age: 26 * HOUR, flags: ['\\Seen'], subject: 'apple' },
  { uid: 7, age: 22 * HOUR, flags: [], subject: 'banana' },
  { uid: 8, age: 5 * HOUR, flags: ['\\Flagged'], subject: 'cherry' },
  { uid: 9, age: 90 * 60, flags: ['\\Answered'], subject: 'apple' },
  { uid: 10, age: 20 * 60, flags: [], subject: 'Größe' },
  { uid: 11, age: 5 * 60, flags: ['\\Seen'], subject: 'banana' },
];

const servers: Dovecot[] = [];
const connections = new Map<Offer, ImapConnection>();
beforeAll(async () => {
  for (const name of names) {
    const imapCapability = offers[name];
    const dovecot = await Dovecot.start(imapCapability === undefined ? {} : { imapCapability });
    servers.push(dovecot);
    const user = newUser();
    for (let uid = 1; uid <= 12; uid += 1) {
      const { age = 0, flags = [], subject = '' } = samples.find((one) => one.uid === uid) ?? {};
      const date = new Date(begun - age * 1000);
      await dovecot.deliver(user, 'INBOX', message({ subject, date, text: textOf(uid) }), { flags, date });
    }
    const connection = await ImapConnection.open('1', dovecot.server(), { user, password: PASSWORD });
    connections.set(name, connection);
    await connection.select('INBOX');
    await connection.exec('write', 'UID STORE', [5, { type: 'ATOM', value: '+FLAGS' }, [deleted]]);
    await connection.exec('write', 'UID STORE', [12, { type: 'ATOM', value: '+FLAGS' }, [deleted]]);
    await connection.exec('write', 'EXPUNGE');
  }
});
afterAll(async () => {
  for (const connection of connections.values()) await connection.logout(1000);
  await Promise.all(servers.map((one) => one.stop()));
});
const deleted = { type: 'ATOM', value: '\\Deleted' };

function at(name: Offer): ImapConnection {
  const connection = connections.get(name);
  if (!connection) throw new Error(name);
  return connection;
}

/** Hits at each of the servers, which are the same. */
async function found(criteria: Criteria, offered: readonly Offer[] = names): Promise<number[]> {
  expect(schema.safeParse(criteria).error).toBeUndefined();
  const answers = await Promise.all(offered.map((name) => searchUids(at(name), criteria)));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  return answers[0] ?? [];
}

const day = (agoSeconds: number) => new Date(begun - agoSeconds * 1000).toISOString().slice(0, 10);
const all = samples.map(({ uid }) => uid);

describe('criteria of every server', () => {
  it.each<[string, Criteria, number[]]>([
    [
      'ranges',
      {
        uidRanges: [
          { from: 2, to: 4 },
          { from: 7, to: 7 },
        ],
      },
      [2, 3, 4, 7],
    ],
    [
      'ranges that overlap and are in no order',
      {
        uidRanges: [
          { from: 7, to: 9 },
          { from: 1, to: 2 },
          { from: 8, to: 10 },
        ],
      },
      [1, 2, 7, 8, 9, 10],
    ],
    ['a range of what is gone', { uidRanges: [{ from: 5, to: 5 }] }, []],
    ['a range without an end', { uidRanges: [{ from: 10 }] }, [10, 11]],
    ['a range without an end, beyond the last message', { uidRanges: [{ from: 12 }] }, []],
    ['a range with an end and one without', { uidRanges: [{ from: 2, to: 3 }, { from: 50 }] }, [2, 3]],
    ['all of them', { uidRanges: [{ from: 1 }] }, all],
    ['the greatest of all uids', { uidRanges: [{ from: 4_294_967_295 }] }, []],
    ['a range up to the greatest of all uids', { uidRanges: [{ from: 10, to: 4_294_967_295 }] }, [10, 11]],
    ['uids after one', { uidAfter: 9 }, [10, 11]],
    ['uids after the last', { uidAfter: 11 }, []],
    ['uids after one that is not there yet', { uidAfter: 100 }, []],
    ['uids after none', { uidAfter: 0 }, all],
    ['uids after the greatest of all', { uidAfter: 4_294_967_294 }, []],
    ['not after the last', { not: { uidAfter: 11 } }, all],
    ['after the last, or seen', { or: [{ uidAfter: 11 }, { seen: true }] }, [1, 3, 6, 11]],
    ['after one and before another', { uidAfter: 3, not: { uidAfter: 8 } }, [4, 6, 7, 8]],
    ['not both of two sizes', { not: { and: [{ largerThan: 0 }, { largerThan: 100_000 }] } }, all],
    ['neither of two sizes', { not: { or: [{ largerThan: 0 }, { largerThan: 100_000 }] } }, []],
    [
      'one of two sizes missing',
      { or: [{ not: { largerThan: 0 } }, { not: { largerThan: 2300 } }], uids: [3, 4] },
      [4],
    ],
    ['one of one', { or: [{ subject: 'cherry' }] }, [4, 8]],
    ['none of one', { not: { or: [{ subject: 'a' }] } }, [4, 8, 10]],
    ['what is alike, or the same where the server knows no likeness', { fuzzy: { subject: 'cherry' } }, [4, 8]],
    ['alike within others', { or: [{ fuzzy: { subject: 'cherry', flagged: true } }, { uids: [1] }] }, [1, 8]],
  ])('find %s', async (_what, criteria, uids) => {
    expect(await found(criteria)).toEqual(uids);
  });

  it('find the messages received or sent on a day', async () => {
    const hits = samples.filter(({ age }) => day(age) === day(30 * DAY)).map(({ uid }) => uid);
    expect(hits).toEqual([2]);
    // A day's bounds are in the time zone of the server, which the tests run in UTC.
    expect(await found({ receivedOn: day(30 * DAY) })).toEqual(hits);
    expect(await found({ sentOn: day(30 * DAY) })).toEqual(hits);
    expect(await found({ receivedOn: day(31 * DAY) })).toEqual([]);
    expect(await found({ not: { sentOn: day(30 * DAY) }, uids: [1, 2, 3] })).toEqual([1, 3]);
    expect(await found({ receivedSince: '0001-01-01', receivedBefore: '9999-12-31' })).toEqual(all);
  });

  it.each<[string, Criteria, number[]]>([
    ['younger than an hour', { youngerThanSeconds: HOUR }, [10, 11]],
    ['younger than a day', { youngerThanSeconds: DAY }, [7, 8, 9, 10, 11]],
    ['older than a day', { olderThanSeconds: DAY }, [1, 2, 3, 4, 6]],
    ['older than a week', { olderThanSeconds: 7 * DAY }, [1, 2]],
    ['younger than a century', { youngerThanSeconds: 4_294_967_295 }, all],
    ['older than a century', { olderThanSeconds: 4_294_967_295 }, []],
    ['older than a second', { olderThanSeconds: 1 }, all],
    ['younger than a second', { youngerThanSeconds: 1 }, []],
    ['between two ages', { youngerThanSeconds: 28 * HOUR, olderThanSeconds: 4 * HOUR }, [6, 7, 8]],
    ['not younger', { not: { youngerThanSeconds: HOUR } }, [1, 2, 3, 4, 6, 7, 8, 9]],
    ['one of two ages', { or: [{ youngerThanSeconds: HOUR }, { olderThanSeconds: 7 * DAY }] }, [1, 2, 10, 11]],
    [
      'unseen and younger, in groups',
      { and: [{ not: { seen: true } }, { or: [{ youngerThanSeconds: 6 * HOUR }] }] },
      [8, 9, 10],
    ],
    ['neither seen nor young', { not: { or: [{ seen: true }, { youngerThanSeconds: DAY }] } }, [2, 4]],
  ])('find messages by age with WITHIN and without: %s', async (_what, criteria, uids) => {
    expect(await found(criteria)).toEqual(uids);
  });

  it('find what they mean in any combination', async () => {
    const runs = fc.asyncProperty(trees, async (criteria) => {
      const expected = samples.filter((sample) => holds(criteria, sample)).map(({ uid }) => uid);
      expect(await found(criteria)).toEqual(expected);
    });
    await fc.assert(runs, { numRuns: 100 });
  });

  it('find nothing in an empty folder, and the one message of another only where it is asked for', async () => {
    for (const [index, dovecot] of servers.entries()) {
      const user = newUser();
      const connection = await ImapConnection.open('1', dovecot.server(), { user, password: PASSWORD });
      await connection.select('INBOX');
      const hits = (criteria: Criteria) => searchUids(connection, criteria);
      for (const criteria of [
        { uidAfter: 0 },
        { uidAfter: 7 },
        { uidRanges: [{ from: 1 }] },
        { olderThanSeconds: 1 },
      ]) {
        expect(await hits(criteria), `${names[index]} ${JSON.stringify(criteria)}`).toEqual([]);
        expect(await hits({ not: criteria })).toEqual([]);
      }
      await dovecot.deliver(user, 'INBOX', message());
      await connection.noop();
      expect(await hits({ uidAfter: 0 })).toEqual([1]);
      expect(await hits({ uidAfter: 1 })).toEqual([]);
      expect(await hits({ uidRanges: [{ from: 2 }] })).toEqual([]);
      expect(await hits({ or: [{ uidAfter: 1 }, { uidRanges: [{ from: 9 }] }] })).toEqual([]);
      expect(await hits({ youngerThanSeconds: DAY })).toEqual([1]);
      await connection.logout(1000);
    }
  });
});

describe('criteria of some servers', () => {
  it('find what changed since a mod-sequence', async () => {
    for (const name of ['full', 'CONDSTORE alone', 'without WITHIN and SAVEDATE'] as const) {
      const connection = at(name);
      const { highestModseq = 0n } = await connection.follow('INBOX', silent);
      const next = String(highestModseq + 1n);
      expect(await searchUids(connection, { modseqSince: next })).toEqual([]);
      expect(await searchUids(connection, { modseqSince: '0' })).toEqual(all);
      await connection.exec('write', 'UID STORE', [7, { type: 'ATOM', value: '+FLAGS' }, [work]]);
      expect(await searchUids(connection, { modseqSince: next })).toEqual([7]);
      expect(await searchUids(connection, { not: { modseqSince: next }, uidAfter: 6 })).toEqual([8, 9, 10, 11]);
      expect(await searchUids(connection, { or: [{ modseqSince: next }, { uids: [1] }] })).toEqual([1, 7]);
      expect(await searchUids(connection, { modseqSince: '9223372036854775807' })).toEqual([]);
    }
  });

  it('find what was put into the folder on a day', async () => {
    const [yesterday, today, tomorrow, later] = [DAY, 0, -DAY, -2 * DAY].map(day);
    const ask = (criteria: Criteria) => found(criteria, ['full']);
    expect(await ask({ savedSince: today })).toEqual(all);
    // It may be past midnight meanwhile.
    expect(await ask({ or: [{ savedOn: today }, { savedOn: tomorrow }] })).toEqual(all);
    expect(await ask({ savedOn: yesterday })).toEqual([]);
    expect(await ask({ savedBefore: today })).toEqual([]);
    expect(await ask({ savedSince: later })).toEqual([]);
    expect(await ask({ savedBefore: later, not: { seen: true } })).toEqual([2, 4, 7, 8, 9, 10]);
  });

  it.each<[Criteria, string]>([
    [{ modseqSince: '1' }, 'filter.modseqSince'],
    [{ savedSince: '2024-01-01' }, 'filter.savedSince'],
    [{ or: [{ seen: true }, { not: { savedBefore: '2024-01-01' } }] }, 'filter.or.1.not.savedBefore'],
    [{ savedOn: '2024-01-01' }, 'filter.savedOn'],
    [{ emailId: 'M1' }, 'filter.emailId'],
    [{ and: [{ threadId: 'T1' }] }, 'filter.and.0.threadId'],
    [{ fuzzy: { label: 'Work' } }, 'filter.fuzzy.label'],
    [{ gmailRaw: 'in:inbox' }, 'filter.gmailRaw'],
  ])('are named where the server does not have them: %j', async (criteria, field) => {
    await expect(searchUids(at('bare'), criteria)).rejects.toMatchObject({
      kind: 'UNSUPPORTED',
      executed: 'no',
      field,
    });
  });
});

const work = { type: 'ATOM', value: 'Work' };
const silent = { onExists() {}, onExpunge() {}, onVanished() {}, onFlags() {}, onLost() {} };

const textOf = (uid: number) => 'x'.repeat(uid % 3 === 0 ? 2000 : uid % 3 === 1 ? 1000 : 1);
/** Between the sizes that are compared. */
const sizeOf = ({ uid }: Sample) => [3000, 1600, 300][uid % 3] ?? 0;

/** What the criteria mean. */
function holds(criteria: Criteria, sample: Sample): boolean {
  const { uid, age, flags, subject } = sample;
  const flag = (name: string, wanted: boolean | undefined) => wanted === undefined || flags.includes(name) === wanted;
  return (
    flag('\\Seen', criteria.seen) &&
    flag('\\Flagged', criteria.flagged) &&
    flag('\\Draft', criteria.draft) &&
    (criteria.largerThan === undefined || sizeOf(sample) > criteria.largerThan) &&
    (criteria.smallerThan === undefined || sizeOf(sample) < criteria.smallerThan) &&
    (criteria.receivedSince === undefined || day(age) >= criteria.receivedSince) &&
    (criteria.sentBefore === undefined || day(age) < criteria.sentBefore) &&
    (criteria.receivedOn === undefined || day(age) === criteria.receivedOn) &&
    (criteria.subject === undefined || subject.includes(criteria.subject)) &&
    (criteria.uids === undefined || criteria.uids.includes(uid)) &&
    (criteria.uidAfter === undefined || uid > criteria.uidAfter) &&
    (criteria.uidRanges === undefined ||
      criteria.uidRanges.some(({ from, to = Number.POSITIVE_INFINITY }) => uid >= from && uid <= to)) &&
    (criteria.youngerThanSeconds === undefined || age <= criteria.youngerThanSeconds) &&
    (criteria.olderThanSeconds === undefined || age >= criteria.olderThanSeconds) &&
    (criteria.and ?? []).every((inner) => holds(inner, sample)) &&
    (criteria.or === undefined || criteria.or.some((inner) => holds(inner, sample))) &&
    (criteria.not === undefined || !holds(criteria.not, sample)) &&
    (criteria.fuzzy === undefined || holds(criteria.fuzzy, sample))
  );
}

const number = fc.integer({ min: 1, max: 15 });
const range = fc
  .tuple(number, fc.option(number, { nil: undefined }))
  .map(([a, b]) => (b === undefined ? { from: a } : { from: Math.min(a, b), to: Math.max(a, b) }));
/** Ages that are some minutes away from that of any message, for the time that the tests take. */
const age = fc.constantFrom(40 * 60, 3 * HOUR, DAY, 28 * HOUR, 60 * HOUR, 10 * DAY);
const days = fc.constantFrom(...[0, 2 * DAY, 3 * DAY, 20 * DAY, 500 * DAY].map(day));
const leaves = fc.oneof(
  fc.record({ seen: fc.boolean() }),
  fc.record({ flagged: fc.boolean(), draft: fc.boolean() }),
  fc.record({ subject: fc.constantFrom('apple', 'ban', 'ö', 'none') }),
  fc.record({ uids: fc.array(number, { minLength: 1, maxLength: 4 }) }),
  fc.record({ uidAfter: fc.integer({ min: 0, max: 15 }) }),
  fc.record({ uidRanges: fc.array(range, { minLength: 1, maxLength: 4 }) }),
  fc.record({ youngerThanSeconds: age }),
  fc.record({ olderThanSeconds: age }),
  fc.record({ largerThan: fc.constantFrom(0, 1000, 2300, 100_000) }),
  fc.record({ smallerThan: fc.constantFrom(0, 1000, 2300, 100_000) }),
  fc.record({ receivedSince: days }),
  fc.record({ sentBefore: days }),
  fc.record({ receivedOn: days }),
);
const { tree: trees } = fc.letrec<{ tree: Criteria; groups: Criteria[] }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaves,
    fc.record({ not: tie('tree') }),
    fc.record({ or: tie('groups') }),
    fc.record({ and: tie('groups') }),
    fc.tuple(leaves, fc.record({ not: tie('tree') })).map(([leaf, group]) => ({ ...leaf, ...group })),
    fc.record({ fuzzy: tie('tree') }),
  ),
  groups: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
}));
