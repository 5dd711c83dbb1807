import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildThreads } from '../../../src/imap/mime/threading/thread-references.js';
import type { Thread } from '../../../src/protocol/methods/message-threads.js';
import { asker } from '../../support/ask.js';
import { Dovecot, newUser } from '../../support/dovecot.js';
import { message } from '../../support/mail.js';

let rich: Dovecot;
let poor: Dovecot;
beforeAll(async () => {
  rich = await Dovecot.start();
  poor = await Dovecot.start({ imapCapability: 'IMAP4rev1 SASL-IR ID' });
});
afterAll(async () => {
  await Promise.all([rich.stop(), poor.stop()]);
});

interface Reply {
  /** Which messages it names as references, oldest first, by number; those that are not there too. */
  references: number[];
  inReplyTo?: number | undefined;
  subject: string;
  /** Its own number, or that of a message before it: then two carry the same id. */
  id: number;
}

const id = (number: number) => `<m${number}@threads>`;

function mailOf({ references, inReplyTo, subject, id: own }: Reply, index: number): Buffer {
  return message({
    subject,
    messageId: id(own),
    date: new Date(Date.UTC(2024, 0, 1, 0, index)),
    ...(references.length > 0 ? { references: references.map(id) } : {}),
    ...(inReplyTo === undefined ? {} : { inReplyTo: id(inReplyTo) }),
  });
}

/** The conversations of the same mail at a rich and at a poor server. */
async function threadsOf(replies: Reply[]): Promise<Thread[]> {
  const mails = replies.map(mailOf);
  const [expected, threads] = await Promise.all(
    [rich, poor].map(async (dovecot) => {
      const user = newUser('threads');
      await dovecot.deliver(user, 'INBOX', mails);
      const { ask, close } = await asker(dovecot, user);
      const answer = await ask('message.threads', { mailbox: 'INBOX', limit: 500 });
      await close();
      expect(answer.threadedBy).toBe(dovecot === rich ? 'server' : 'broker');
      return answer.threads.map(({ tree }) => tree);
    }),
  );
  expect(threads).toEqual(expected);
  return threads ?? [];
}

const plain = (number: number, references: number[], subject = `Subject ${number}`): Reply => ({
  references,
  subject,
  id: number,
});

describe('message.threads', () => {
  it('puts replies below what they answer, conversations with the newest message first', async () => {
    expect(await threadsOf([plain(1, []), plain(2, []), plain(3, [1]), plain(4, [1, 3]), plain(5, [1])])).toEqual([
      {
        uid: 1,
        replies: [
          { uid: 3, replies: [{ uid: 4, replies: [] }] },
          { uid: 5, replies: [] },
        ],
      },
      { uid: 2, replies: [] },
    ]);
  });

  it('joins replies to a message that is not there', async () => {
    expect(await threadsOf([plain(1, [9]), plain(2, [9])])).toEqual([
      {
        uid: null,
        replies: [
          { uid: 1, replies: [] },
          { uid: 2, replies: [] },
        ],
      },
    ]);
  });

  it('takes In-Reply-To where References is missing, and the subject where both are', async () => {
    const replies: Reply[] = [
      plain(1, [], 'Lunch'),
      { ...plain(2, [], 'Something else'), inReplyTo: 1 },
      plain(3, [], 'Re: Lunch'),
      plain(4, [], 'Fwd: [team] lunch (fwd)'),
    ];
    const [conversation, ...others] = await threadsOf(replies);
    expect(others).toEqual([]);
    expect(conversation?.uid).toBe(1);
  });

  it('does as the server does on whatever references there are', async () => {
    const reply = (index: number) =>
      fc.record({
        references: fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 4 }),
        inReplyTo: fc.option(fc.integer({ min: 0, max: 14 }), { nil: undefined, freq: 4 }),
        subject: fc.constantFrom('Lunch', 'Re: Lunch', 'Dinner', 'Fwd: Dinner', `Own ${index}`, `Own ${index}`, ''),
        id: fc.integer({ min: 0, max: 9 }).map((other) => (other === 0 && index > 0 ? index - 1 : index)),
      });
    const mailbox = fc.tuple(...Array.from({ length: 10 }, (_, index) => reply(index)));
    await fc.assert(
      fc.asyncProperty(mailbox, async (replies) => {
        await threadsOf(replies);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  it('answers pages of conversations', async () => {
    const user = newUser();
    await rich.deliver(
      user,
      'INBOX',
      [1, 2, 3, 4, 5].map((number) => mailOf(plain(number, []), number)),
    );
    const { ask, close } = await asker(rich, user);
    const first = await ask('message.threads', { mailbox: 'INBOX', limit: 2 });
    expect(first).toMatchObject({ total: 5, nextOffset: 2 });
    expect(first.threads.map(({ tree }) => tree.uid)).toEqual([5, 4]);
    const last = await ask('message.threads', { mailbox: 'INBOX', limit: 2, offset: 4 });
    expect(last).toMatchObject({ total: 5, nextOffset: null });
    expect(last.threads.map(({ tree }) => tree.uid)).toEqual([1]);
    await close();
  });

  it('threads only what the filter finds', async () => {
    const user = newUser();
    await poor.deliver(user, 'INBOX', [mailOf(plain(1, []), 1), mailOf(plain(2, [1]), 2)]);
    const { ask, close } = await asker(poor, user);
    const { threads } = await ask('message.threads', { mailbox: 'INBOX', filter: { uids: [2] } });
    expect(threads.map(({ tree }) => tree)).toEqual([{ uid: 2, replies: [] }]);
    await close();
  });
});

describe('threading in the broker', () => {
  const messageOf = (index: number, references: string[]) => ({
    uid: index + 1,
    id: `<${index}>`,
    references,
    subject: `s${index}`,
    isReply: false,
    date: index,
  });

  it('takes a chain of thousands of replies', async () => {
    const chain = Array.from({ length: 5000 }, (_, index) => messageOf(index, index === 0 ? [] : [`<${index - 1}>`]));
    const threads = await buildThreads(chain);
    expect(threads).toHaveLength(1);
    let depth = 0;
    for (let next = threads[0]; next; next = next.replies[0]) depth += 1;
    expect(depth).toBe(5000);
  });

  it('takes a message with very many references, and very many replies to a message', async () => {
    const many = Array.from({ length: 200_000 }, (_, index) => `<r${index}>`);
    expect(await buildThreads([messageOf(0, many)])).toEqual([{ uid: 1, replies: [] }]);
    const [thread] = await buildThreads(many.map((_id, index) => messageOf(index, index === 0 ? [] : ['<0>'])));
    expect(thread?.replies).toHaveLength(many.length - 1);
  });

  it('makes no loop of messages that refer to each other', async () => {
    const around = [messageOf(0, ['<2>', '<1>']), messageOf(1, ['<0>', '<2>']), messageOf(2, ['<1>', '<0>', '<2>'])];
    const [thread, ...others] = await buildThreads(around);
    expect(others).toEqual([]);
    const uids: (number | null)[] = [];
    for (let next = thread; next; next = next.replies[0]) uids.push(next.uid);
    expect(uids.sort()).toEqual([1, 2, 3]);
  });

  it('lets other work through meanwhile', async () => {
    let turns = 0;
    let done = false;
    const count = () => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await buildThreads(Array.from({ length: 50_000 }, (_, index) => messageOf(index, [])));
    done = true;
    expect(turns).toBeGreaterThan(0);
  });
});
