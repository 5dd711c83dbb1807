import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../../src/protocol/contract.js';
import type { Criteria, SortOverFolders } from '../../../src/protocol/criteria.js';
import { type Asker, asker } from '../../support/ask.js';
import { Dovecot, newUser } from '../../support/dovecot.js';
import { message } from '../../support/mail.js';

/** What the poorest of servers offers: no ESEARCH, SORT, THREAD, LITERAL+. */
const POOR = 'IMAP4rev1 SASL-IR ID';

interface Delivered {
  raw: Buffer;
  flags: string[];
  date: Date;
}

const day = (number: number, time = '12:00:00') => new Date(`2024-03-${String(number).padStart(2, '0')}T${time}Z`);

function one(number: number, mail: Parameters<typeof message>[0], flags: string[] = []): Delivered {
  return { raw: message({ date: day(number), messageId: `<${number}@search>`, ...mail }), flags, date: day(number) };
}

const mails: Delivered[] = [
  one(1, { from: 'Zoë <zoe@example.com>', to: 'anna@example.com', subject: 'Quarterly report', text: 'Umsätze' }, [
    '\\Seen',
  ]),
  one(2, { from: 'bob@example.com', to: 'Carl <carl@example.com>', subject: 'Re: Quarterly report', text: 'short' }),
  one(3, { from: 'Ärni <aerni@example.com>', subject: 'Größe "quoted" \\ back', text: 'x'.repeat(5000) }, [
    '\\Flagged',
  ]),
  one(4, { from: 'dora@example.com', cc: 'eva@example.com', subject: '[list] Fwd: заказ', text: 'заказ готов' }, [
    'Work',
  ]),
  one(5, { from: 'ALICE@example.com', subject: 'apple', headers: { 'X-Ticket': '4711' }, date: day(20) }, [
    '\\Answered',
  ]),
  one(6, { from: 'alice@example.com', subject: 'Banana', text: 'last' }, ['\\Draft', '\\Seen']),
  one(7, { subject: '日本語の件名', from: null, date: null, text: '本文' }, ['\\Deleted']),
  one(8, { subject: '', from: 'bob@example.com', to: 'anna@example.com', text: '' }),
];

const servers: Dovecot[] = [];
const askers: Asker[] = [];
beforeAll(async () => {
  for (const options of [{}, { imapCapability: POOR }]) {
    const dovecot = await Dovecot.start(options);
    const user = newUser();
    for (const { raw, flags, date } of mails) await dovecot.deliver(user, 'INBOX', raw, { flags, date });
    servers.push(dovecot);
    askers.push(await asker(dovecot, user));
  }
});
afterAll(async () => {
  await Promise.all(askers.map((one) => one.close()));
  await Promise.all(servers.map((one) => one.stop()));
});

function uidsOf(answer: Result<'message.search'> | undefined): number[] {
  return answer?.messages.map(({ uid }) => uid) ?? [];
}

/** Hits in the order of the folder, the same at a rich and at a poor server. */
async function found(criteria: Criteria): Promise<number[]> {
  const [rich, poor] = await Promise.all(
    askers.map(({ ask }) =>
      ask('message.search', { mailboxes: ['INBOX'], filter: criteria, sort: [{ by: 'arrival' }], fields: [] }),
    ),
  );
  expect(uidsOf(poor)).toEqual(uidsOf(rich));
  return uidsOf(rich);
}

describe('message.search', () => {
  it.each<[string, Criteria, number[]]>([
    ['nothing in particular', {}, [1, 2, 3, 4, 5, 6, 7, 8]],
    ['subject', { subject: 'report' }, [1, 2]],
    ['subject in another script', { subject: 'заказ' }, [4]],
    ['subject in Japanese', { subject: '件名' }, [7]],
    ['subject with umlaut, quote and backslash', { subject: 'Größe "quoted" \\ back' }, [3]],
    ['body in another script', { body: 'ЗАКАЗ' }, [4]],
    ['text of header or body', { text: 'Umsätze' }, [1]],
    ['sender by name', { from: 'Zoë' }, [1]],
    ['sender whatever the case', { from: 'alice@' }, [5, 6]],
    ['recipient', { to: 'carl' }, [2]],
    ['copy', { cc: 'eva' }, [4]],
    ['header with a value', { header: { name: 'X-Ticket', value: '471' } }, [5]],
    ['header that is there', { header: { name: 'X-Ticket', value: '' } }, [5]],
    ['seen', { seen: true }, [1, 6]],
    ['unseen and flagged', { seen: false, flagged: true }, [3]],
    ['answered', { answered: true }, [5]],
    ['draft', { draft: true }, [6]],
    ['deleted', { deleted: true }, [7]],
    ['keyword', { keyword: 'Work' }, [4]],
    ['no keyword', { notKeyword: 'Work', uids: [3, 4] }, [3]],
    ['a keyword that nobody used', { keyword: 'Nobody' }, []],
    ['larger', { largerThan: 4000 }, [3]],
    ['smaller, of some', { smallerThan: 4000, uids: [1, 2, 3] }, [1, 2]],
    ['received since', { receivedSince: '2024-03-07' }, [7, 8]],
    ['received before', { receivedBefore: '2024-03-02' }, [1]],
    ['sent since', { sentSince: '2024-03-10' }, [5]],
    ['uids of which some are gone', { uids: [2, 99, 4] }, [2, 4]],
    ['one or the other', { or: [{ subject: 'apple' }, { subject: 'banana' }] }, [5, 6]],
    ['one of three', { or: [{ subject: 'apple' }, { subject: 'banana' }, { from: 'dora' }] }, [4, 5, 6]],
    ['not', { not: { from: 'example.com' } }, [7]],
    ['not both', { not: { seen: true, draft: true }, uids: [1, 6] }, [1]],
    ['one of two flags missing', { or: [{ seen: false }, { draft: false }], uids: [1, 2, 6] }, [1, 2]],
    ['neither of two flags', { not: { or: [{ seen: true }, { flagged: true }] }, uids: [1, 2, 3] }, [2]],
    ['nested', { and: [{ or: [{ from: 'bob' }, { from: 'zoe' }] }, { not: { seen: true } }] }, [2, 8]],
  ])('finds by %s', async (_what, criteria, uids) => {
    expect(await found(criteria)).toEqual(uids);
  });

  it('takes any text for text: nothing in it reaches the server as a command', async () => {
    for (const text of ['a" LOGOUT', 'x\\', '\r\nA LOGOUT', '{3}\r\nabc', '*', 'NIL', '(', '\u0001', '%', '😀 "']) {
      expect(await found({ subject: text })).toEqual([]);
      expect(await found({ header: { name: 'Subject', value: text } })).toEqual([]);
    }
    expect(await found({ subject: 'apple' })).toEqual([5]);
  });

  it.each<SortOverFolders['by']>(['arrival', 'date', 'from', 'to', 'cc', 'subject', 'size'])(
    'sorts by %s as a server does, in both directions',
    async (by) => {
      for (const descending of [false, true]) {
        const sort: SortOverFolders[] = [
          { by, descending },
          { by: 'arrival', descending: false },
        ];
        const [rich, poor] = await Promise.all(
          askers.map(({ ask }) => ask('message.search', { mailboxes: ['INBOX'], sort, fields: [] })),
        );
        expect(rich?.messages).toHaveLength(mails.length);
        expect(uidsOf(poor)).toEqual(uidsOf(rich));
      }
    },
  );

  it('answers a page with the fields that were asked for, and where the next one begins', async () => {
    for (const { ask } of askers) {
      const page = { mailboxes: ['INBOX'], sort: [{ by: 'subject' as const }], limit: 3 };
      const uids: number[] = [];
      let offset: number | null = 0;
      for (let pages = 0; offset !== null && pages < 10; pages += 1) {
        const fields = ['envelope' as const, 'flags' as const];
        const answer: Result<'message.search'> = await ask('message.search', { ...page, offset, fields });
        expect(answer.total).toBe(mails.length);
        for (const row of answer.messages)
          expect(Object.keys(row).sort()).toEqual(['envelope', 'flags', 'mailbox', 'uid', 'uidValidity']);
        uids.push(...answer.messages.map(({ uid }) => uid));
        offset = answer.nextOffset;
      }
      expect([...uids].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(await ask('message.search', { ...page, offset: 50 })).toMatchObject({ messages: [], nextOffset: null });
    }
  });

  it('says NOT_FOUND for a folder that is not there', async () => {
    for (const { ask } of askers) {
      const failure = { kind: 'NOT_FOUND', field: 'mailbox', message: expect.stringContaining('"None"') };
      for (const mailboxes of [['None'], ['INBOX', 'None']]) {
        await expect(ask('message.search', { mailboxes })).rejects.toMatchObject(failure);
      }
    }
  });

  it('refuses groups that nest without end, and keywords that are none', async () => {
    const [{ ask }] = askers as [Asker];
    let deep: Criteria = { seen: true };
    for (let level = 0; level < 30; level += 1) deep = { not: deep };
    const wrong: [Criteria, string][] = [
      [deep, 'filter'],
      [{ keyword: 'two words' }, 'filter.keyword'],
    ];
    for (const [criteria, field] of wrong) {
      await expect(ask('message.search', { mailboxes: ['INBOX'], filter: criteria })).rejects.toMatchObject({
        kind: 'INVALID_PARAMS',
        field,
      });
    }
  });

  it('finds among uids that fit into no single command line', async () => {
    const uids = Array.from({ length: 5000 }, (_, index) => index * 2 + 1);
    expect(await found({ uids })).toEqual([1, 3, 5, 7]);
  });
});
