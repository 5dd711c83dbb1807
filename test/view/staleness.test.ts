import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { appends, refusal, visitor } from './visitor.js';

describe.each<DialectName>(['full', 'without QRESYNC', 'bare'])(
  'what other clients do, on a server that is %s:',
  (name) => {
    let dialect: Dialect;
    beforeAll(async () => {
      dialect = await startDialect(name);
    });
    afterAll(() => dialect.dovecot.stop());

    it('new mail is in the next page', async () => {
      const { look, other, mailbox } = await visitor(dialect);
      expect(await look()).toEqual([3, 2, 1]);
      await other(...appends(mailbox, 1));
      expect(await look()).toEqual([4, 3, 2, 1]);
      await other(...appends(mailbox, 2, '\\Seen'));
      expect(await look()).toEqual([6, 5, 4, 3, 2, 1]);
    });

    it('new mail in a folder that was empty is in the next page', async () => {
      const { look, other, mailbox } = await visitor(dialect, 0);
      expect(await look()).toEqual([]);
      await other(...appends(mailbox, 1));
      expect(await look()).toEqual([1]);
    });

    it('a flag that is set shows, and one that is taken away', async () => {
      const { page, look, change } = await visitor(dialect);
      await look();
      await change('UID STORE 2 +FLAGS.SILENT (\\Seen \\Flagged)');
      expect((await page()).messages[1]?.flags).toEqual(['\\Flagged', '\\Seen']);
      await change('UID STORE 2 -FLAGS.SILENT (\\Seen)');
      expect((await page()).messages[1]?.flags).toEqual(['\\Flagged']);
      await look();
    });

    it('a flag that is changed and changed back is as it was', async () => {
      const { page, look, change } = await visitor(dialect);
      await change('UID STORE 1 +FLAGS.SILENT (\\Flagged)');
      const before = await page();
      await change('UID STORE 1 -FLAGS.SILENT (\\Flagged)');
      await change('UID STORE 1 +FLAGS.SILENT (\\Flagged)');
      expect((await page()).messages).toEqual(before.messages);
      await change('UID STORE 1 -FLAGS.SILENT (\\Flagged)', 'UID STORE 1,2 +FLAGS.SILENT (\\Deleted)');
      await look();
    });

    it('keywords that nobody had used before show', async () => {
      const { page, change } = await visitor(dialect);
      await page();
      await change('UID STORE 1:2 +FLAGS.SILENT ($Label1 Urgent)', 'UID STORE 3 +FLAGS.SILENT (urgent-too)');
      const { messages } = await page();
      expect(messages.map(({ flags }) => flags)).toEqual([
        ['urgent-too'],
        ['$Label1', 'Urgent'],
        ['$Label1', 'Urgent'],
      ]);
      await change('UID STORE 1 FLAGS.SILENT (Urgent)');
      expect((await page()).messages[2]?.flags).toEqual(['Urgent']);
    });

    it.each([
      ['in the middle', '2', [5, 4, 3, 1]],
      ['that is the newest', '5', [4, 3, 2, 1]],
      ['that is the oldest', '1', [5, 4, 3, 2]],
      ['in several places', '1,3,5', [4, 2]],
      ['and all others', '1:5', []],
    ])('a message %s that is expunged is gone', async (_place, set, left) => {
      const { look, change, other, mailbox } = await visitor(dialect, 5);
      await look();
      await change(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`, `UID EXPUNGE ${set}`);
      expect(await look()).toEqual(left);
      await other(...appends(mailbox, 1));
      expect(await look()).toEqual([6, ...left]);
    });

    it('as much mail may come as is expunged: the number of messages says nothing', async () => {
      const { look, change, other, mailbox } = await visitor(dialect, 4);
      await look();
      await change('UID STORE 2,4 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 2,4');
      await other(...appends(mailbox, 2));
      expect(await look()).toEqual([6, 5, 3, 1]);
    });

    it('mail that came and went between two pages leaves no trace', async () => {
      const { look, change, other, mailbox } = await visitor(dialect, 2);
      await look();
      await other(...appends(mailbox, 2));
      await change('UID STORE 3,4 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 3,4');
      expect(await look()).toEqual([2, 1]);
      await other(...appends(mailbox, 1));
      expect(await look()).toEqual([5, 2, 1]);
    });

    it('a message that is moved away while the same one arrives again is another message', async () => {
      const { look, change, other, mailbox, named } = await visitor(dialect, 1);
      const elsewhere = named('Elsewhere');
      await other(`CREATE "${elsewhere}"`);
      await look();
      await change(`UID MOVE 1 "${elsewhere}"`);
      await other(...appends(mailbox, 1));
      expect(await look()).toEqual([2]);
      expect(await look({ mailbox: elsewhere })).toEqual([1]);
    });

    it('changes show while the broker has another folder selected', async () => {
      const { look, page, change, other, mailbox } = await visitor(dialect, 3);
      await look();
      await page({ mailbox: 'INBOX' });
      await change('UID STORE 1 +FLAGS.SILENT (\\Seen)', 'UID STORE 2 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 2');
      await other(...appends(mailbox, 1));
      expect(await look()).toEqual([4, 3, 1]);
      await page({ mailbox: 'INBOX' });
      expect(await look()).toEqual([4, 3, 1]);
    });

    it('changes show when the broker’s connections were lost in between', async () => {
      const { look, lane, change, other, mailbox } = await visitor(dialect, 3);
      await look();
      await lane.dropConnections();
      await change('UID STORE 1 +FLAGS.SILENT (\\Seen)', 'UID STORE 2 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 2');
      await other(...appends(mailbox, 1));
      expect(await look()).toEqual([4, 3, 1]);
    });

    it('changes show on every connection while others hold the folder', async () => {
      const { look, page, holder, change, other, mailbox } = await visitor(dialect, 3);
      const held = await holder();
      // Several at once make the broker select the folder on several connections.
      const together = () => Promise.all([0, 1, 0, 1].map((socket, at) => page({ socket, limit: 10 + at })));
      await together();
      await change('UID STORE 1 +FLAGS.SILENT (\\Seen)', 'UID STORE 2 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 2');
      await other(...appends(mailbox, 1));
      for (const { messages } of await together()) expect(messages.map(({ uid }) => uid)).toEqual([4, 3, 1]);
      await held.all('UID STORE 3 +FLAGS.SILENT (\\Answered)');
      await together();
      expect(await look()).toEqual([4, 3, 1]);
    });

    it('both sessions of an account see them', async () => {
      const { look, change, other, mailbox } = await visitor(dialect);
      expect(await look({ socket: 0 })).toEqual([3, 2, 1]);
      await other(...appends(mailbox, 1));
      expect(await look({ socket: 1 })).toEqual([4, 3, 2, 1]);
      await change('UID STORE 1 +FLAGS.SILENT (\\Seen)', 'UID STORE 2 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 2');
      expect(await look({ socket: 0 })).toEqual([4, 3, 1]);
      expect(await look({ socket: 1 })).toEqual([4, 3, 1]);
    });

    it('a folder that was deleted is not found, and one that is made under its name is another', async () => {
      const { page, look, ask, other, mailbox } = await visitor(dialect, 3);
      const before = await page({ limit: 2 });
      await other(`DELETE "${mailbox}"`);
      expect(await refusal(ask(0, 'message.list', { mailbox }))).toBe('NOT_FOUND');
      expect(await refusal(ask(1, 'message.list', { mailbox, cursor: before.nextCursor ?? '' }))).toBe('NOT_FOUND');
      await other(`CREATE "${mailbox}"`, ...appends(mailbox, 3));
      expect(await look()).toEqual([3, 2, 1]);
      expect((await page()).uidValidity).not.toBe(before.uidValidity);
      expect(await refusal(ask(1, 'message.list', { mailbox, cursor: before.nextCursor ?? '' }))).toBe('STATE_CHANGED');
    });

    it('folders that change their names while none is selected keep their own messages', async () => {
      const { look, page, lane, other, mailbox, named } = await visitor(dialect, 3);
      const [twin, away] = [named('Twin'), named('Away')];
      await other(`CREATE "${twin}"`, ...appends(twin, 3, '\\Flagged'));
      await look();
      await look({ mailbox: twin });
      for (const round of [1, 2]) {
        await lane.dropConnections();
        await other(`RENAME "${mailbox}" "${away}"`, `RENAME "${twin}" "${mailbox}"`, `RENAME "${away}" "${twin}"`);
        const { messages } = await page();
        expect(messages.every(({ flags }) => flags?.includes('\\Flagged'))).toBe(round === 1);
        await look({ mailbox: twin });
        await look();
      }
    });
  },
);
