import { describe, expect, it } from 'vitest';
import { ScriptedFolder } from '../../support/scripted-folder.js';
import { expected, type Offer, oddVisitor, offers } from './odd-visitor.js';

const all = Object.keys(offers) as Offer[];

/** What may happen to a folder, one thing after the other. */
const events: [string, (folder: ScriptedFolder) => void][] = [
  ['new mail', (folder) => folder.arrive('\\Seen')],
  ['a flag', (folder) => folder.flag(folder.mails[0]?.uid ?? 0, '\\Flagged', 'Work')],
  ['the oldest expunged', (folder) => folder.expunge(folder.mails[0]?.uid ?? 0)],
  ['the newest expunged', (folder) => folder.expunge(folder.mails.at(-1)?.uid ?? 0)],
  ['one in the middle expunged', (folder) => folder.expunge(folder.mails[2]?.uid ?? 0)],
];

describe.each(all)('on a server that offers %s,', (offer) => {
  it('messages that it makes up in place of expunged ones are in no answer', async () => {
    const folder = new ScriptedFolder(5, { makesUpMissing: true });
    const { page, search, counts } = await oddVisitor(folder, offer);
    await page();
    folder.expunge(2, 5);
    expect(await page()).toEqual(expected(folder));
    folder.expunge(1);
    expect((await search()).messages.map(({ uid }) => uid).sort()).toEqual([3, 4]);
    folder.expunge(3);
    expect(await counts()).toEqual([1, 1]);
    folder.arrive();
    expect(await page({ limit: 1 })).toEqual(expected(folder, 1));
  });

  it('a folder of which SELECT does not tell UIDNEXT is as it is after each thing that happens', async () => {
    const folder = new ScriptedFolder(6, { hidesUidNext: true });
    const { page, server } = await oddVisitor(folder, offer);
    expect(await page()).toEqual(expected(folder));
    for (const [what, happens] of [...events, ...events]) {
      happens(folder);
      expect(await page(), what).toEqual(expected(folder));
    }
    // Each thing again, with a SELECT behind it.
    for (const [what, happens] of events) {
      server.cut();
      happens(folder);
      expect(await page(), what).toEqual(expected(folder));
    }
  });

  it.each(events)('what it tells in the middle of another answer is not forgotten: %s', async (_what, happens) => {
    const folder = new ScriptedFolder(6, { interrupts: true });
    const { page, next, counts, search } = await oddVisitor(folder, offer);
    await page({ limit: 3 });
    const requests: [string, () => Promise<unknown>][] = [
      ['counts', counts],
      ['search', search],
      ['second page', () => page({ limit: 2, start: next() })],
      ['first page', () => page({ limit: 3 })],
    ];
    for (const [name, request] of requests) {
      folder.meanwhile = { when: 'within', happens: () => happens(folder) };
      await request();
      // It needed no answer in which this could have happened.
      folder.meanwhile?.happens();
      folder.meanwhile = undefined;
      expect(await page({ limit: 3 }), name).toEqual(expected(folder, 3));
    }
    expect(await page()).toEqual(expected(folder));
  });

  it('a folder of which it expunges everything and then says NO is gone, and no mail was deleted', async () => {
    const folder = new ScriptedFolder(4, { refusesNoopWhenGone: true });
    const { page } = await oddVisitor(folder, offer);
    expect(await page()).toEqual(expected(folder));
    folder.gone = true;
    expect(await page()).toEqual({ error: 'NOT_FOUND' });
    folder.replacedBy = new ScriptedFolder(4, {}, 2);
    expect(await page()).toEqual(expected(folder.replacedBy));
  });

  it('a folder of which it expunges everything and then says NO is the one that has its name now', async () => {
    const folder = new ScriptedFolder(4, { refusesNoopWhenGone: true });
    const { page, next } = await oddVisitor(folder, offer);
    await page({ limit: 2 });
    const start = next();
    folder.gone = true;
    folder.replacedBy = new ScriptedFolder(4, {}, 2);
    folder.replacedBy.flag(4, '\\Seen');
    expect(await page()).toEqual(expected(folder.replacedBy));
    expect(await page({ start })).toEqual({ error: 'STATE_CHANGED' });
  });
});

describe('a server that speaks of VANISHED to those alone who enabled QRESYNC', () => {
  it.each<Offer>(['CONDSTORE', 'QRESYNC'])(
    'is understood, offering %s, with and without a new SELECT',
    async (offer) => {
      const folder = new ScriptedFolder(8);
      const { page, server } = await oddVisitor(folder, offer);
      await page();
      for (const reconnects of [false, true, false, true]) {
        for (const [what, happens] of events) {
          if (reconnects) server.cut();
          happens(folder);
          folder.arrive();
          expect(await page(), what).toEqual(expected(folder));
        }
      }
    },
  );
});

describe('a server that tells the uids of messages whose flags changed', () => {
  it.each<[string, (folder: ScriptedFolder) => void]>([
    ['known', (folder) => folder.flag(5, '\\Flagged')],
    ['asked for', (folder) => folder.flag(7, '\\Flagged')],
  ])('has not told the rest of them by that: a message that is %s', async (_which, happens) => {
    const folder = new ScriptedFolder(6, { interrupts: true });
    const { page, client, session } = await oddVisitor(folder, 'QRESYNC');
    const { state } = await client.call('message.list', { session, mailbox: 'INBOX' });
    folder.arrive();
    // Now it is known that the message is there, and nothing else of it.
    await client.call('mailbox.changes', { session, mailbox: 'INBOX', since: state ?? '' });
    folder.meanwhile = { when: 'within', happens: () => happens(folder) };
    await page({ limit: 1 });
    expect(folder.meanwhile).toBeUndefined();
    expect(await page()).toEqual(expected(folder));
  });
});
