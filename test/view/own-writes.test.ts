import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailOf } from '../model/mails.js';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { OTHER_TOKEN, RawClient } from '../support/running-broker.js';
import { appends, refusal, visitor } from './visitor.js';

/** As old as it likes: only the broker's own writes must be in it. */
const maxAgeMs = 60_000;
const data = Buffer.from(mailOf(4)).toString('base64');

describe.each<DialectName>(['full', 'without QRESYNC', 'bare'])(
  'an answer that may be old, from a server that is %s,',
  (name) => {
    let dialect: Dialect;
    beforeAll(async () => {
      dialect = await startDialect(name);
    });
    afterAll(() => dialect.dovecot.stop());

    // Written over socket 0; read over the same and over one of another session.
    describe.each([
      ['the same socket', 0],
      ['another socket', 1],
    ])('read over %s', (_name, socket) => {
      it('has the message that was appended, and the one after it', async () => {
        const { page, ask, mailbox } = await visitor(dialect, 2);
        await page({ socket });
        await ask(0, 'message.append', { mailbox, data, flags: ['\\Seen'] });
        const { messages } = await page({ socket, maxAgeMs });
        expect(messages.map(({ uid, flags }) => [uid, flags])).toEqual([
          [3, ['\\Seen']],
          [2, []],
          [1, []],
        ]);
        await ask(0, 'message.append', { mailbox, data });
        expect((await page({ socket, maxAgeMs })).total).toBe(4);
      });

      it('has the flags that were set', async () => {
        const { page, ask, mailbox } = await visitor(dialect, 3);
        const { uidValidity } = await page({ socket });
        const folder = { mailbox, uidValidity };
        await ask(0, 'message.flag', { ...folder, uids: [2, 3], action: 'add', flags: ['\\Flagged', 'Work'] });
        expect((await page({ socket, maxAgeMs })).messages[1]?.flags).toEqual(['Work', '\\Flagged']);
        await ask(0, 'message.flag', { ...folder, uids: [2], action: 'set', flags: [] });
        expect((await page({ socket, maxAgeMs })).messages[1]?.flags).toEqual([]);
      });

      it('has the copy, in the folder where it is', async () => {
        const { page, ask, mailbox, other, named } = await visitor(dialect, 2);
        const destination = named('Copies');
        await other(`CREATE "${destination}"`, ...appends(destination, 1));
        const { uidValidity } = await page({ socket });
        await page({ socket, mailbox: destination });
        await ask(0, 'message.copy', { mailbox, uidValidity, uids: [1, 2], destination });
        expect((await page({ socket, mailbox: destination, maxAgeMs })).total).toBe(3);
        expect((await page({ socket, maxAgeMs })).total).toBe(2);
      });

      it('has moved what was moved, or all of it where that was refused', async () => {
        const { page, ask, mailbox, other, named } = await visitor(dialect, 3);
        const destination = named('Moved');
        await other(`CREATE "${destination}"`);
        const { uidValidity } = await page({ socket });
        await page({ socket, mailbox: destination });
        const moved = await refusal(ask(0, 'message.move', { mailbox, uidValidity, uids: [1, 3], destination }));
        const gone = moved === 'IMAP_NO' ? 0 : 2;
        expect(gone).toBe(dialect.offered.has('MOVE') ? 2 : 0);
        expect((await page({ socket, maxAgeMs })).total).toBe(3 - gone);
        expect((await page({ socket, mailbox: destination, maxAgeMs })).total).toBe(gone);
      });

      it('has no message that was deleted, but all of them where that was refused', async () => {
        const { page, ask, mailbox } = await visitor(dialect, 3);
        const { uidValidity } = await page({ socket });
        const deleted = await refusal(ask(0, 'message.delete', { mailbox, uidValidity, uids: [2] }));
        const left = deleted === 'IMAP_NO' ? [3, 2, 1] : [3, 1];
        expect(left.length).toBe(dialect.offered.has('UIDPLUS') ? 2 : 3);
        const { messages } = await page({ socket, maxAgeMs });
        expect(messages.map(({ uid }) => uid)).toEqual(left);
      });

      it('finds no folder that was deleted or renamed, and the one that was made in its place', async () => {
        const { page, ask, mailbox, named } = await visitor(dialect, 3);
        const newName = named('Renamed');
        const before = await page({ socket });
        await ask(0, 'mailbox.rename', { mailbox, newName });
        expect(await refusal(ask(socket, 'message.list', { mailbox, maxAgeMs }))).toBe('NOT_FOUND');
        expect((await page({ socket, mailbox: newName, maxAgeMs })).messages).toEqual(before.messages);
        await ask(0, 'mailbox.create', { mailbox });
        expect(await page({ socket, maxAgeMs })).toMatchObject({ total: 0 });
        await ask(0, 'mailbox.delete', { mailbox: newName });
        expect(await refusal(ask(socket, 'message.list', { mailbox: newName, maxAgeMs }))).toBe('NOT_FOUND');
      });

      it('counts them as well', async () => {
        const { page, ask, mailbox, fresh } = await visitor(dialect, 2);
        const { uidValidity } = await page({ socket });
        const counted = async () => {
          const { statuses } = await ask(socket, 'mailbox.status', { mailboxes: [mailbox], maxAgeMs });
          const { mailboxes } = await ask(socket, 'mailbox.list', { counts: true, maxAgeMs });
          const listed = mailboxes.find((one) => one.name === mailbox)?.counts;
          expect(listed).toEqual(statuses[0]?.counts);
          return [listed?.messages, listed?.unseen];
        };
        expect(await counted()).toEqual([2, 2]);
        await ask(0, 'message.flag', { mailbox, uidValidity, uids: [1], action: 'add', flags: ['\\Seen'] });
        expect(await counted()).toEqual([2, 1]);
        await ask(0, 'message.append', { mailbox, data, flags: ['\\Seen'] });
        expect(await counted()).toEqual([3, 1]);
        expect((await fresh()).mails).toHaveLength(3);
      });
    });

    it('is never another application’s, whoever logs in', async () => {
      const { page, lane, mailbox } = await visitor(dialect, 2);
      await page();
      await page({ maxAgeMs });
      const helpdesk = await RawClient.open(lane.url, OTHER_TOKEN);
      const auth = { password: dialect.dovecot.password };
      const { session } = await helpdesk.call('session.open', { server: lane.server, user: lane.user, auth });
      const asked = { session, mailbox, maxAgeMs };
      expect((await helpdesk.call('message.list', asked)).meta.source).not.toBe('cache');
      expect((await helpdesk.call('mailbox.status', { session, mailboxes: [mailbox], maxAgeMs })).meta.source).not.toBe(
        'cache',
      );
      expect((await helpdesk.call('mailbox.list', { session, counts: true, maxAgeMs })).meta.source).not.toBe('cache');
      await helpdesk.close();
    });

    it('says how old it is', async () => {
      const { page } = await visitor(dialect, 2);
      const first = await page();
      const begun = Date.now();
      const second = await page({ maxAgeMs });
      const asOf = Date.parse(second.meta.asOf);
      expect(asOf).toBeGreaterThanOrEqual(second.meta.source === 'cache' ? Date.parse(first.meta.asOf) : begun);
      expect(asOf).toBeLessThanOrEqual(Date.now());
    });
  },
);
