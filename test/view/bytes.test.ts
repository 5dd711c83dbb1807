import { beforeAll, describe, expect, it } from 'vitest';
import { KeptList } from '../../src/view/lists/kept-lists.js';
import type { MailboxView } from '../../src/view/mailbox-view.js';
import { Views } from '../../src/view/views.js';
import { heapGrowth } from './heap.js';
import { flagsOf, fullRowOf, read, rowOf, type Script, scripts, uidsOf } from './kept-mail.js';

const MIB = 1024 * 1024;
const ROOM = { bytes: 1024 * MIB, bodyBytes: MIB };

const accountOf = (user: number) => JSON.stringify(['webmail', 'main', `user${user}@example.com`]);

/** Folders of users, each with so many messages of which something is learned. */
async function folders(
  views: Views,
  count: number,
  messages: number,
  learn: (view: MailboxView, uids: number[]) => void,
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const place = [accountOf(index % 10), `Folder ${index}`] as const;
    await read(views, place, messages, (view) => learn(view, uidsOf(messages)));
  }
}

const members = (view: MailboxView, uids: number[]) => {
  // A page at a time, from the top, as they are looked at.
  for (let end = uids.length; end > 0; end -= 50) {
    const page = uids.slice(Math.max(0, end - 50), end);
    view.members.addOlder(page.map((uid) => ({ uid, flags: flagsOf(uid) })));
  }
};
const rows = (script: Script) => (view: MailboxView, uids: number[]) => {
  members(view, uids);
  for (const uid of uids) view.rows.add(rowOf(uid, script));
};
const fullRows = (script: Script) => (view: MailboxView, uids: number[]) => {
  members(view, uids);
  for (const uid of uids) view.rows.add(fullRowOf(uid, script), ['List-Id', 'References', 'X-None']);
};
const labels = (view: MailboxView, uids: number[]) => {
  members(view, uids);
  for (const uid of uids) view.rows.add({ uid, labels: ['\\Inbox', `label ${uid}`] });
};
const keywords = (view: MailboxView, uids: number[]) => {
  const flags = (uid: number) => ['\\Seen', `$label-${uid}`, `project-${uid * 31}`];
  view.members.addOlder(uids.map((uid) => ({ uid, flags: flags(uid) })));
};
const news = (view: MailboxView, uids: number[]) => {
  for (const uid of uids) view.members.addNewest([{ uid, flags: flagsOf(uid) }]);
};
const changes = (view: MailboxView, uids: number[]) => {
  members(view, uids);
  for (let round = 0; round < 30; round += 1) for (const uid of uids) view.log.note('changed', uid);
};
const sortKeys = (view: MailboxView, uids: number[]) => {
  const keyed = (keyOf: (uid: number) => string | number) => uids.map((uid) => ({ uid, key: keyOf(uid) }));
  view.lists.keys.add(
    'arrival',
    keyed((uid) => 1.7e12 + uid),
    uids,
  );
  view.lists.keys.add(
    'subject',
    // Capital letters make a string in one piece, as the broker's keys are.
    keyed((uid) => `Subject ${uid}, ${'x'.repeat(uid % 50)}`.toUpperCase()),
    uids,
  );
};
const lists = (view: MailboxView, uids: number[]) => {
  for (const by of ['size', 'date', 'from'] as const) {
    const listing = { filter: { subject: 'x' }, sort: [{ by, descending: false }] };
    view.lists.keep(listing, new KeptList(listing, uids, view));
  }
};
type Fill = (views: Views) => Promise<void>;

/** The middle of three: now and then what the runner itself lets go falls into a measurement. */
async function measure(fill: Fill, limits = ROOM): Promise<{ said: number; grown: number }> {
  const measured = [await measureOnce(fill, limits), await measureOnce(fill, limits), await measureOnce(fill, limits)];
  const [, middle] = measured.sort((a, b) => a.grown - b.grown);
  if (!middle) throw new Error('three have a middle');
  return middle;
}

async function measureOnce(fill: Fill, limits: typeof ROOM): Promise<{ said: number; grown: number }> {
  const { made, bytes } = await heapGrowth(async () => {
    const views = new Views(limits);
    await fill(views);
    return views;
  });
  return { said: made.bytes, grown: bytes };
}

const kinds: [string, Fill][] = [
  ['folders of which nothing is known', (views) => folders(views, 2_000, 0, () => {})],
  ...Object.keys(scripts).flatMap((script) =>
    [50, 500, 5_000].map((count): [string, Fill] => [
      `rows in ${script}, folders of ${count}`,
      (views) => folders(views, 5_000 / count, count, rows(script as Script)),
    ]),
  ),
  ['rows with all there is', (views) => folders(views, 4, 500, fullRows('other scripts'))],
  ['labels', (views) => folders(views, 10, 1_000, labels)],
  ...[50, 500, 5_000].map((count): [string, Fill] => [
    `flags of messages that were looked at, folders of ${count}`,
    (views) => folders(views, Math.min(1_000, 300_000 / count), count, members),
  ]),
  ['flags of messages that arrived one by one', (views) => folders(views, 20, 3_000, news)],
  ['keywords of which each message has its own', (views) => folders(views, 20, 1_000, keywords)],
  ['what messages are sorted by', (views) => folders(views, 10, 5_000, sortKeys)],
  ['sorted lists of small folders', (views) => folders(views, 1_000, 10, lists)],
  ['sorted lists of large folders', (views) => folders(views, 10, 50_000, lists)],
  ['logs of changes', (views) => folders(views, 200, 100, changes)],
  [
    'answers that are not about one folder',
    async (views) => {
      for (let index = 0; index < 2_000; index += 1) {
        const asked = { at: performance.now(), date: Date.now() };
        const make = () => JSON.stringify({ mailboxes: 'x'.repeat(1_000 + index) });
        views.keepAnswer(accountOf(index % 10), `mailbox.status {"mailboxes":["Folder ${index}"]}`, asked, make);
      }
    },
  ],
  ...([1_000, 100_000] as const).flatMap((length) =>
    (['a', 'ü', 'ж'] as const).map((letter): [string, Fill] => [
      `bodies of ${length} ${letter}`,
      async (views) => {
        for (let index = 0; index < Math.min(2_000, 5_000_000 / length); index += 1) {
          const body = JSON.stringify({ text: letter.repeat(length), index }).slice(1);
          views.keepBody(accountOf(index % 10), JSON.stringify(['INBOX', 1_700_000_000, index, false, 262_144]), body);
        }
      },
    ]),
  ),
];

const everything: Fill = async (views) => {
  for (const [, fill] of kinds) await fill(views);
};

describe('the bytes that are stated', () => {
  // What the first time compiles and sets up for good is no user's memory.
  beforeAll(() => everything(new Views(ROOM)));

  it.each(kinds)('are those in the heap: %s', async (_kind, fill) => {
    const { said, grown } = await measure(fill);
    expect(grown).toBeGreaterThan(MIB);
    expect(said / grown).toBeGreaterThan(0.8);
    expect(said / grown).toBeLessThan(1.2);
  });

  it('stay below the bound, and so does the heap, whatever is put in', async () => {
    const limits = { bytes: 8 * MIB, bodyBytes: 256 * 1024 };
    const { said, grown } = await measure(everything, limits);
    expect(said).toBeLessThanOrEqual(limits.bytes);
    expect(said).toBeGreaterThan(0.8 * limits.bytes);
    expect(grown).toBeLessThan(1.2 * limits.bytes);
  }, 120_000);
});
