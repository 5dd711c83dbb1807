import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConnectionLostError } from '../../src/client/index.js';
import { watchingBroker } from '../support/watching-broker.js';
import { cuttable, Noted } from './watching-client.js';

const folders = ['a', 'b', 'c'];
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ tell: fc.constantFrom(...folders), times: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ turns: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.constant({ cut: true as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ watch: fc.uniqueArray(fc.constantFrom(...folders), { minLength: 1 }), as: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ close: fc.nat(3) }) },
);

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A history that hangs fails, so that it is the one that is shown. */
async function inTime(promise: Promise<void>, state: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(state())), 5000);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

afterEach(() => vi.restoreAllMocks());

describe('a client whose sockets are cut at any time', () => {
  it('gives each watch every event of its folders once, in order, in 200 histories', async () => {
    // Short waits before it connects again; the histories have a generator of their own.
    vi.spyOn(Math, 'random').mockReturnValue(0.01);
    const broker = await watchingBroker();
    let histories = 0;
    let lost = 0;
    const begun = { watches: 0, givenUp: 0 };
    const history = async (steps: Array<typeof step extends fc.Arbitrary<infer S> ? S : never>) => {
      histories += 1;
      const user = `user-${histories}`;
      const { client, cut } = cuttable({ url: broker.url });
      const told: Array<{ mailbox: string; number: number }> = [];
      const tell = (mailbox: string) => {
        told.push({ mailbox, number: told.length });
        broker.watcherOf(user).count(mailbox, told.length - 1);
      };
      const watches: Array<{ noted: Noted; mailboxes: string[]; sure: number; closed: boolean }> = [];
      const watch = async (mailboxes: string[], as: number) => {
        const noted = new Noted();
        const session = () => `${user}+${as}`;
        try {
          noted.watch = await client.watch({ session, mailboxes, ...noted.callbacks });
        } catch (error) {
          // One that is cut again and again while it begins is refused, and its caller knows.
          expect(error).toBeInstanceOf(ConnectionLostError);
          begun.givenUp += 1;
          return;
        }
        begun.watches += 1;
        watches.push({ noted, mailboxes, sure: told.length, closed: false });
      };
      await watch(folders, 0);
      const starting: Promise<void>[] = [];
      for (const one of steps) {
        if ('tell' in one) for (let time = 0; time < one.times; time += 1) tell(one.tell);
        else if ('turns' in one) for (let left = one.turns; left > 0; left -= 1) await turn();
        else if ('watch' in one) starting.push(watch(one.watch, one.as));
        else if ('close' in one) {
          const closing = one.close > 0 ? watches[one.close] : undefined;
          if (closing) closing.closed = true;
          void closing?.noted.watch?.close();
        } else {
          lost += 1;
          cut();
        }
      }
      await Promise.all(starting);
      const open = watches.filter(({ closed }) => !closed);
      for (const mailbox of folders) tell(mailbox);
      for (const { noted, mailboxes } of open) {
        const last = told.findLastIndex(({ mailbox }) => mailboxes.includes(mailbox));
        await inTime(
          noted.until(({ numbers }) => numbers.at(-1) === last),
          () => `${mailboxes} got ${noted.numbers} of ${told.map(({ mailbox, number }) => mailbox + number)}`,
        );
      }
      await turn();
      for (const { noted, mailboxes, sure } of open) {
        const wanted = told.filter(({ mailbox }) => mailboxes.includes(mailbox)).map(({ number }) => number);
        // What was told while it began may be in it or not; from its first event on nothing is missing.
        const from = Math.min(noted.numbers[0] ?? sure, sure);
        expect(noted.numbers).toEqual(wanted.filter((number) => number >= from));
        expect([noted.resyncs, noted.ends, noted.errors]).toEqual([[], [], []]);
      }
      client.close();
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), history), {
      numRuns: 200,
    });
    expect(lost).toBeGreaterThan(200);
    expect(begun.watches).toBeGreaterThan(200);
    expect(begun.givenUp).toBeLessThan(begun.watches / 10);
  }, 120_000);
});
