import type { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, ParamsIn, Result } from '../../../src/protocol/contract.js';
import type { Criteria, Sort } from '../../../src/protocol/criteria.js';
import { type DialectName, startDialect } from '../../support/dialects.js';
import { newUser } from '../../support/dovecot.js';
import { imapClient } from '../../support/imap-client.js';
import { message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';

type Params = Omit<ParamsIn<'message.list'>, 'session' | 'mailbox'>;

/** Of ten messages, by uid; arrival is against the order of uids, and three have the same subject. */
const letters = ['d', 'b', 'j', 'a', 'c', 'b', 'h', 'e', 'b', 'f'];
const day = (number: number) => new Date(`2024-03-${String(number).padStart(2, '0')}T12:00:00Z`);
const mailOf = (uid: number) => {
  const subject = letters[(uid - 1) % letters.length] ?? '';
  return message({ subject, date: day(uid), messageId: `<${uid}@lists>`, text: 'x'.repeat(uid * 10) });
};

describe.each<DialectName>(['full', 'without QRESYNC', 'bare'])('message.list on a server that is %s', (name) => {
  let mail: ServedMail;
  beforeAll(async () => {
    mail = await serveMail((await startDialect(name)).dovecot);
  });
  afterAll(() => mail.stop());
  const sorts = name !== 'bare';

  /** A user with so many messages, of which each third is \Seen. */
  async function reader(count = 10) {
    const user = newUser('lists');
    const { dovecot, client } = mail;
    const flow = await imapClient(dovecot, user);
    for (let uid = 1; uid <= count; uid += 1) {
      await flow.append('INBOX', mailOf(uid), uid % 3 === 0 ? ['\\Seen'] : [], day(31 - uid));
    }
    const session = await client.login(user);
    const ask = (params: Params) => client.call('message.list', { session, mailbox: 'INBOX', ...params });
    const explained = async (params: Params) => {
      const answer = (await ask({ ...params, explain: true })) as Answer<'message.list'>;
      const commands = (answer.explain?.commands ?? []).filter((one) => one !== 'NOOP' && one !== 'STATUS');
      return { answer: answer as Result<'message.list'>, commands };
    };
    const uids = async (params: Params) => (await ask({ fields: [], ...params })).messages.map(({ uid }) => uid);
    return { ask, explained, uids, flow, session };
  }

  const change = async (flow: ImapFlow, work: () => Promise<unknown>) => {
    const lock = await flow.getMailboxLock('INBOX');
    await work().finally(() => lock.release());
  };
  const expunge = (flow: ImapFlow, uids: string) => change(flow, () => flow.messageDelete(uids, { uid: true }));
  const see = (flow: ImapFlow, uids: string) =>
    change(flow, () => flow.messageFlagsAdd(uids, ['\\Seen'], { uid: true }));

  it('is newest uid first without a sort, also with a filter, and no command asks for sort keys', async () => {
    const { explained, uids } = await reader();
    expect(await uids({})).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const { answer, commands } = await explained({ filter: { seen: false }, fields: [] });
    expect(answer.messages.map(({ uid }) => uid)).toEqual([10, 8, 7, 5, 4, 2, 1]);
    expect(answer).toMatchObject({ total: 7, nextCursor: null, nextOffset: null });
    expect(commands).toEqual(['UID SEARCH']);
  });

  it.each<[string, Sort[], number[]]>([
    ['subject', [{ by: 'subject', descending: false }], [4, 2, 6, 9, 5, 1, 8, 10, 7, 3]],
    ['subject from the end', [{ by: 'subject', descending: true }], [3, 7, 10, 8, 1, 5, 2, 6, 9, 4]],
    [
      'subject, the newest first of equal ones',
      [
        { by: 'subject', descending: false },
        { by: 'uid', descending: true },
      ],
      [4, 9, 6, 2, 5, 1, 8, 10, 7, 3],
    ],
    [
      'subject from the end, the newest first of equal ones',
      [
        { by: 'subject', descending: true },
        { by: 'uid', descending: true },
      ],
      [3, 7, 10, 8, 1, 5, 9, 6, 2, 4],
    ],
    ['arrival', [{ by: 'arrival', descending: false }], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
    ['date', [{ by: 'date', descending: false }], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['size', [{ by: 'size', descending: true }], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
    ['uid', [{ by: 'uid', descending: false }], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ])('is sorted by %s', async (_what, sort, order) => {
    const { uids } = await reader();
    expect(await uids({ sort })).toEqual(order);
    expect(await uids({ sort, filter: { seen: true } })).toEqual(order.filter((uid) => uid % 3 === 0));
  });

  it('of which a second page, and the same page again, cost the rows that are missing and nothing else', async () => {
    const { explained } = await reader();
    const list: Params = { sort: [{ by: 'subject', descending: false }], filter: { smallerThan: 99_999 }, limit: 3 };
    const first = await explained(list);
    expect(first.commands).toContain(sorts ? 'UID SORT' : 'UID SEARCH');
    const second = await explained({ ...list, cursor: first.answer.nextCursor ?? '' });
    expect(second.commands).toEqual(['UID FETCH']);
    expect(second.answer.messages.map(({ uid }) => uid)).toEqual([9, 5, 1]);
    const third = await explained({ ...list, offset: 6 });
    expect(third.commands).toEqual(['UID FETCH']);
    const again = await explained({ ...list, cursor: first.answer.nextCursor ?? '' });
    expect(again.commands).toEqual([]);
    expect(again.answer.messages).toEqual(second.answer.messages);
    expect(again.answer.meta.source).toBe('validated');
    const turned = await explained({ ...list, sort: [{ by: 'subject', descending: true }], limit: 10 });
    expect(turned.commands).toEqual([sorts ? ['UID SORT'] : [], 'UID FETCH'].flat());
  });

  it('keeps its order while only flags change, and searches again where the filter asks for flags', async () => {
    const { explained, flow } = await reader();
    const sorted: Params = { sort: [{ by: 'date', descending: true }], limit: 4 };
    const unseen: Params = { filter: { seen: false } };
    await explained(sorted);
    await explained(unseen);
    await see(flow, '10');
    const again = await explained(sorted);
    // Without QRESYNC the news names no uid, so that the flags of the page are asked for again.
    expect(again.commands).toEqual(name === 'full' ? [] : ['UID FETCH']);
    expect(again.answer.messages[0]).toMatchObject({ uid: 10, flags: ['\\Seen'] });
    const found = await explained(unseen);
    expect(found.commands).toEqual(name === 'full' ? ['UID SEARCH'] : ['UID SEARCH', 'UID FETCH']);
    expect(found.answer.messages.map(({ uid }) => uid)).toEqual([8, 7, 5, 4, 2, 1]);
  });

  it('goes on behind the same message by cursor, whatever arrives and vanishes', async () => {
    const { ask, flow } = await reader();
    for (const list of [
      { filter: { seen: false }, limit: 3 },
      { sort: [{ by: 'subject' as const, descending: false }], limit: 3 },
      { limit: 3 },
    ] satisfies Params[]) {
      const seen: number[] = [];
      let page = await ask(list);
      seen.push(...page.messages.map(({ uid }) => uid));
      // Another one that comes first in each list, while one of those that were shown is gone.
      await flow.append('INBOX', message({ subject: '1' }), []);
      await expunge(flow, String(seen[0]));
      const left = (await ask({ ...list, limit: 50, fields: [] })).messages.map(({ uid }) => uid);
      for (let pages = 0; page.nextCursor !== null && pages < 9; pages += 1) {
        page = await ask({ ...list, cursor: page.nextCursor });
        seen.push(...page.messages.map(({ uid }) => uid));
      }
      const shown = new Set(seen);
      expect(seen).toHaveLength(shown.size);
      expect(left.filter((uid) => !shown.has(uid))).toHaveLength(1);
    }
  });

  it('goes on where the message was, when the last one of a page is gone with all of that page', async () => {
    const { ask, flow } = await reader();
    const list: Params = { sort: [{ by: 'subject', descending: false }], limit: 3 };
    const first = await ask(list);
    expect(first.messages.map(({ uid }) => uid)).toEqual([4, 2, 6]);
    await expunge(flow, '4,2,6');
    const second = await ask({ ...list, cursor: first.nextCursor ?? '' });
    expect(second.messages.map(({ uid }) => uid)).toEqual([9, 5, 1]);
    expect(second.total).toBe(7);
  });

  it('passes over messages by offset, also without filter and sort', async () => {
    const { ask, explained } = await reader();
    const { answer, commands } = await explained({ offset: 4, limit: 3 });
    expect(answer.messages.map(({ uid }) => uid)).toEqual([6, 5, 4]);
    expect(answer).toMatchObject({ total: 10, nextOffset: 7 });
    expect(commands.filter((one) => one.includes('SEARCH'))).toEqual([]);
    const rest = await ask({ cursor: answer.nextCursor ?? '', limit: 5 });
    expect(rest).toMatchObject({ messages: [{ uid: 3 }, { uid: 2 }, { uid: 1 }], nextOffset: null, nextCursor: null });
    for (const list of [{}, { filter: { seen: false } }, { sort: [{ by: 'size' as const, descending: false }] }]) {
      expect(await ask({ ...list, offset: 50 })).toMatchObject({ messages: [], nextOffset: null, nextCursor: null });
    }
    const hits = await ask({ filter: { seen: false }, offset: 2, limit: 2 });
    expect(hits).toMatchObject({ total: 7, messages: [{ uid: 7 }, { uid: 5 }], nextOffset: 4 });
  });

  it('is unchanged by ifState until something changes in the folder, for each kind of list', async () => {
    const { ask, flow } = await reader(4);
    const lists: Params[] = [
      {},
      { filter: { seen: false } },
      { filter: { smallerThan: 99_999 }, sort: [{ by: 'size', descending: false }] },
      { sort: [{ by: 'subject', descending: false }] },
      { fields: [], limit: 10_000 },
      { countOnly: true },
      { countOnly: true, filter: { seen: false } },
    ];
    const states = async () => {
      const kept: (string | null)[] = [];
      for (const list of lists) kept.push((await ask(list)).state);
      // What one list makes known is news to the next.
      for (const [index, list] of lists.entries()) kept[index] = (await ask(list)).state;
      return kept.map((state) => state ?? '');
    };
    const unchanged = async (kept: string[]) => {
      const answers: boolean[] = [];
      for (const [index, list] of lists.entries()) {
        answers.push('unchanged' in (await ask({ ...list, ifState: kept[index] ?? '' })));
      }
      return answers;
    };
    let kept = await states();
    expect(await unchanged(kept)).toEqual(lists.map(() => true));
    await see(flow, '1');
    expect(await unchanged(kept)).toEqual(lists.map(() => false));
    kept = await states();
    expect(await unchanged(kept)).toEqual(lists.map(() => true));
    await flow.append('INBOX', mailOf(5), []);
    expect(await unchanged(kept)).toEqual(lists.map(() => false));
    kept = await states();
    await expunge(flow, '2');
    expect(await unchanged(kept)).toEqual(lists.map(() => false));
  });

  it('counts without messages', async () => {
    const { explained, flow } = await reader();
    expect((await explained({ countOnly: true })).answer).toMatchObject({ total: 10, messages: [] });
    const first = await explained({ countOnly: true, filter: { seen: false } });
    expect(first.answer).toMatchObject({ total: 7, messages: [], nextCursor: null, nextOffset: null });
    expect(first.commands).toEqual(['UID SEARCH']);
    expect((await explained({ countOnly: true, filter: { seen: false } })).commands).toEqual([]);
    await see(flow, '1,2');
    expect((await explained({ countOnly: true, filter: { seen: false } })).answer.total).toBe(5);
  });

  it.each([0, 1])('of a folder with %i messages has those', async (count) => {
    const { ask } = await reader(count);
    const messages = Array.from({ length: count }, () => ({ uid: 1 }));
    const subject: Sort[] = [{ by: 'subject', descending: false }];
    const lists: Params[] = [
      { offset: 0 },
      { filter: { subject: 'd' } },
      { sort: subject },
      { filter: {}, sort: subject },
      { fields: [], limit: 10_000 },
    ];
    for (const list of lists) {
      const { explain: _, meta: __, ...answer } = await ask({ fields: [], ...list });
      expect(answer).toMatchObject({ total: count, messages, nextCursor: null, nextOffset: null });
    }
    expect((await ask({ filter: { subject: 'no such' } })).messages).toEqual([]);
  });

  it('has all uids at once, by one command', async () => {
    const { explained } = await reader();
    const { answer, commands } = await explained({ fields: [], limit: 10_000 });
    expect(answer.messages).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((uid) => ({ uid })));
    expect(commands.filter((one) => !/SELECT|EXAMINE/.test(one))).toEqual(['UID SEARCH']);
    expect((await explained({ fields: [], limit: 10_000 })).commands).toEqual([]);
    const part = await explained({ fields: [], limit: 600, offset: 7 });
    expect(part).toMatchObject({ answer: { messages: [{ uid: 3 }, { uid: 2 }, { uid: 1 }] }, commands: [] });
  });

  it('names the member that does not fit', async () => {
    const { ask } = await reader(3);
    const { nextCursor } = await ask({ limit: 1 });
    const { nextCursor: ofUnseen } = await ask({ limit: 1, filter: { seen: false } });
    const cursor = nextCursor ?? '';
    const wrong: [Params, string][] = [
      [{ cursor, offset: 1 }, 'offset'],
      [{ limit: 501 }, 'limit'],
      [{ limit: 10_001, fields: [] }, 'limit'],
      [{ cursor, filter: { seen: false } }, 'cursor'],
      [{ cursor: ofUnseen ?? '' }, 'cursor'],
      [{ cursor: ofUnseen ?? '', filter: { seen: true } }, 'cursor'],
      [{ cursor: ofUnseen ?? '', filter: { seen: false }, sort: [{ by: 'date', descending: true }] }, 'cursor'],
      [{ sort: [] }, 'sort'],
    ];
    for (const [params, field] of wrong) {
      await expect(ask(params), JSON.stringify(params)).rejects.toMatchObject({
        data: { kind: 'INVALID_PARAMS', field },
      });
    }
  });

  it('answers from memory where the age allows it, and only what was found since the last news', async () => {
    const { ask } = await reader();
    const filter: Criteria = { seen: false };
    const first = await ask({ filter });
    const again = await ask({ filter, maxAgeMs: 60_000 });
    expect(again.meta.source).toBe('cache');
    expect(again.messages).toEqual(first.messages);
    expect((await ask({ filter: { seen: true }, maxAgeMs: 60_000 })).meta.source).toBe('server');
  });
});
