import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageStart } from '../model/expected.js';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { appends, type Visitor, visitor } from './visitor.js';

const COUNT = 300;

/** Reads on, each page just as a fresh connection sees it; answers the uids in the order in which they came. */
async function walk(
  { page }: Visitor,
  limit: number,
  between: (seen: readonly number[]) => Promise<void>,
  maxAgeMs = 0,
): Promise<number[]> {
  const seen: number[] = [];
  let start: PageStart | undefined;
  do {
    const { messages, next } = await page({ limit, start, maxAgeMs });
    seen.push(...messages.map(({ uid }) => uid));
    start = next;
    if (start) await between(seen);
  } while (start);
  return seen;
}

const expunge = ({ change }: Visitor, set: string) =>
  change(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`, `UID EXPUNGE ${set}`);
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

describe.each<DialectName>(['full', 'without QRESYNC', 'bare'])(
  'pages of a folder of 300, on a server that is %s,',
  (name) => {
    let dialect: Dialect;
    beforeAll(async () => {
      dialect = await startDialect(name);
    });
    afterAll(() => dialect.dovecot.stop());

    it.each([
      ['above the cursor', '280:290'],
      ['at the cursor', '250:251'],
      ['just below the cursor', '240:250'],
      ['far below the cursor', '100:150'],
      ['everywhere', '290,251,250,249,200,1'],
    ])('go on where they were when messages %s vanish', async (_place, set) => {
      const one = await visitor(dialect, COUNT);
      let times = 0;
      const seen = await walk(one, 50, async () => {
        times += 1;
        if (times === 1) await expunge(one, set);
      });
      const left = (await one.fresh()).mails.map(({ uid }) => uid).reverse();
      expect(seen).toEqual([...down(300, 251), ...left.filter((uid) => uid < 251)]);
    });

    it('end when all that is below the cursor has vanished', async () => {
      const one = await visitor(dialect, COUNT);
      const seen = await walk(one, 100, () => expunge(one, '1:200'));
      expect(seen).toEqual(down(300, 201));
    });

    it('neither repeat nor skip when mail arrives and flags change meanwhile', async () => {
      const one = await visitor(dialect, COUNT);
      const seen = await walk(one, 70, async () => {
        await one.other(...appends(one.mailbox, 3));
        await one.change('UID STORE 1,100,200,299 +FLAGS.SILENT (\\Flagged)', 'UID STORE 2,99 +FLAGS.SILENT ($Later)');
      });
      expect(seen).toEqual(down(300, 1));
    });

    it('can be read again from the first one, and each cursor again, behind all changes', async () => {
      const one = await visitor(dialect, COUNT);
      const first = await one.page({ limit: 120 });
      const second = await one.page({ limit: 120, start: first.next });
      await expunge(one, '300,181,180,61,60,1');
      await one.change('UID STORE 62 +FLAGS.SILENT (\\Seen)');
      await one.page({ limit: 120, start: second.next });
      await one.page({ limit: 120, start: first.next });
      expect((await one.look({ limit: 500 })).length).toBe(294);
    });

    it('of any size are right behind a page of another size', async () => {
      const one = await visitor(dialect, COUNT);
      for (const limit of [1, 300, 7, 299, 500, 50]) {
        await expunge(one, String(300 - (limit % 13)));
        await one.page({ limit });
      }
    });

    it('that may be old are right where nobody else writes, also further back', async () => {
      const one = await visitor(dialect, COUNT);
      expect(await walk(one, 80, async () => {}, 60_000)).toEqual(down(300, 1));
      expect(await walk(one, 90, async () => {}, 60_000)).toEqual(down(300, 1));
      const { uidValidity } = await one.page({ limit: 1 });
      await one.ask(1, 'message.flag', {
        mailbox: one.mailbox,
        uidValidity,
        uids: [5, 150],
        action: 'add',
        flags: ['\\Seen'],
      });
      expect(await walk(one, 90, async () => {}, 60_000)).toEqual(down(300, 1));
    });
  },
);
