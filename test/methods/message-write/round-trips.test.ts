import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodName, ParamsIn, Result } from '../../../src/protocol/contract.js';
import { type Dialect, type DialectName, startDialect } from '../../support/dialects.js';
import { message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';

type Explained<M extends MethodName> = Result<M> & { explain: { commands: string[] } };

describe.each<DialectName>(['full', 'without QRESYNC', 'without CONDSTORE', 'bare'])(
  'what a change costs at a server that is %s:',
  (name) => {
    let dialect: Dialect;
    let mail: ServedMail;
    beforeAll(async () => {
      dialect = await startDialect(name);
      mail = await serveMail(dialect.dovecot);
    });
    afterAll(() => mail.stop());

    const uidPlus = () => dialect.offered.has('UIDPLUS');

    /** A user with three messages, who has looked at them or has not. */
    async function visitor({ looks = true } = {}) {
      const { dovecot } = dialect;
      const user = dovecot.user('changer');
      const deliver = (count: number) => dovecot.deliver(user, 'INBOX', Array(count).fill(message()));
      await deliver(3);
      const session = await mail.client.login(user);
      const call = async <M extends MethodName>(method: M, params: Omit<ParamsIn<M>, 'session'>) => {
        const asked = { session, explain: true, ...params } as unknown as ParamsIn<M>;
        return (await mail.client.call(method, asked)) as Explained<M>;
      };
      const { statuses } = await call('mailbox.status', { mailboxes: ['INBOX'] });
      const folder = { mailbox: 'INBOX', uidValidity: statuses[0]?.counts?.uidValidity ?? 0 };
      await call('mailbox.create', { mailbox: 'Target', subscribe: false });
      if (looks) await call('message.list', { mailbox: 'INBOX' });
      else await call('message.search', { mailboxes: ['INBOX'] });
      const flag = (uids: number[], action: 'add' | 'remove' | 'set', ...flags: string[]) =>
        call('message.flag', { ...folder, uids, action, flags });
      const page = (options: { mailbox?: string; maxAgeMs?: number } = {}) =>
        call('message.list', { mailbox: 'INBOX', ...options });
      return { user, call, folder, flag, page, deliver };
    }

    describe.each([
      ['listed', true],
      ['selected', false],
    ])('in a folder that was %s,', (_how, looks) => {
      it('a flag is one command', async () => {
        const { flag } = await visitor({ looks });
        const added = await flag([1, 3], 'add', '\\Flagged', 'Work');
        expect(added.explain.commands).toEqual(['UID STORE']);
        expect(added.messages).toEqual([
          { uid: 1, flags: ['Work', '\\Flagged'] },
          { uid: 3, flags: ['Work', '\\Flagged'] },
        ]);
        const removed = await flag([3], 'remove', 'work');
        expect(removed.explain.commands).toEqual(['UID STORE']);
        expect(removed.messages).toEqual([{ uid: 3, flags: ['\\Flagged'] }]);
        expect((await flag([1], 'set')).messages).toEqual([{ uid: 1, flags: [] }]);
      });

      it('a flag that was there already is another question', async () => {
        const { flag } = await visitor({ looks });
        await flag([2], 'add', '\\Seen');
        const again = await flag([1, 2], 'add', '\\Seen');
        expect(again.explain.commands).toEqual(['UID STORE', 'UID FETCH']);
        expect(again.messages.map(({ uid }) => uid)).toEqual([1, 2]);
      });
    });

    it('a flag of a message that the session was not told of yet is set all the same', async () => {
      const { flag, deliver } = await visitor();
      await deliver(1);
      const { messages, notFound } = await flag([4, 1, 9], 'add', '\\Flagged');
      expect([messages.map(({ uid }) => uid), notFound]).toEqual([[4, 1], [9]]);
    });

    it('a message that others expunged is not found', async () => {
      const { flag, page, user } = await visitor();
      const other = await dialect.dovecot.client(user);
      await other.mailboxOpen('INBOX');
      await other.messageDelete('2', { uid: true });
      const { messages, notFound, explain } = await flag([1, 2], 'add', '\\Flagged');
      expect([messages.map(({ uid }) => uid), notFound]).toEqual([[1], [2]]);
      expect(explain.commands.length).toBeLessThanOrEqual(2);
      expect((await page()).messages.map(({ uid }) => uid)).toEqual([3, 1]);
      await other.logout();
    });

    describe.each([
      ['listed', true],
      ['selected', false],
    ])('in a folder that was %s,', (_how, looks) => {
      // A client that has only selected it does not know what is there; COPYUID tells.
      const seen = looks ? [] : ['UID SEARCH'];

      it('a copy is one command where the broker or the server knows what is there', async () => {
        const { call, folder } = await visitor({ looks });
        const copied = await call('message.copy', { ...folder, uids: [3, 1], destination: 'Target' });
        expect(copied.explain.commands).toEqual([...(uidPlus() ? [] : seen), 'UID COPY']);
        expect(copied.notFound).toEqual([]);
        if (uidPlus()) expect(copied.uids.map(({ source }) => source)).toEqual([1, 3]);
        expect((await call('message.list', { mailbox: 'Target' })).total).toBe(2);
      });

      it('a move is one command where the broker knows what is there', async () => {
        const { call, folder, page } = await visitor({ looks });
        const moving = call('message.move', { ...folder, uids: [2], destination: 'Target' });
        if (!uidPlus()) return expect(moving).rejects.toMatchObject({ data: { kind: 'IMAP_NO', executed: 'no' } });
        expect((await moving).explain.commands).toEqual([...seen, 'UID MOVE']);
        expect((await moving).uids).toEqual([{ source: 2, destination: 1 }]);
        expect((await page()).messages.map(({ uid }) => uid)).toEqual([3, 1]);
      });

      it('a deletion is two', async () => {
        const { call, folder, page } = await visitor({ looks });
        const deleting = call('message.delete', { ...folder, uids: [2, 3] });
        if (!uidPlus()) return expect(deleting).rejects.toMatchObject({ data: { kind: 'IMAP_NO', executed: 'no' } });
        expect((await deleting).explain.commands).toEqual([...seen, 'UID STORE', 'UID EXPUNGE']);
        expect((await deleting).deleted).toEqual([2, 3]);
        expect((await page()).messages.map(({ uid }) => uid)).toEqual([1]);
      });

      it('messages that are not there are not found, and the others are copied once', async () => {
        const { call, folder, deliver, user } = await visitor({ looks });
        await deliver(1);
        const other = await dialect.dovecot.client(user);
        await other.mailboxOpen('INBOX');
        await other.messageDelete('2', { uid: true });
        await other.logout();
        const copy = (...uids: number[]) => call('message.copy', { ...folder, uids, destination: 'Target' });
        expect((await copy(9)).notFound).toEqual([9]);
        expect((await copy(4, 2, 1)).notFound).toEqual([2]);
        expect((await call('message.list', { mailbox: 'Target' })).total).toBe(2);
      });
    });

    it('behind a change that was refused the server confirms the next answer, whatever it heard of it', async () => {
      const { call, folder, page } = await visitor();
      const copying = call('message.copy', { ...folder, uids: [1], destination: 'Nowhere' });
      await expect(copying).rejects.toMatchObject({ data: { kind: 'NOT_FOUND', executed: 'no' } });
      expect((await page({ maxAgeMs: 60_000 })).meta.source).toBe('validated');
    });

    it('where the others went is in the next answer that may be old, which costs nothing', async () => {
      const { call, folder, page } = await visitor();
      if (!uidPlus()) return;
      await call('message.move', { ...folder, uids: [1], destination: 'Target' });
      await call('message.delete', { ...folder, uids: [3] });
      const aged = await page({ maxAgeMs: 60_000 });
      expect(aged.meta.source).toBe('cache');
      expect(aged.messages.map(({ uid }) => uid)).toEqual([2]);
    });

    it('what was changed is in the next answer that may be old, which costs nothing', async () => {
      const { flag, page } = await visitor();
      await flag([2], 'add', '\\Flagged');
      const aged = await page({ maxAgeMs: 60_000 });
      expect(aged).toMatchObject({ meta: { source: 'cache' }, explain: { commands: [] } });
      expect(aged.messages.map(({ flags }) => flags)).toEqual([[], ['\\Flagged'], []]);
      await flag([2], 'set', 'Other');
      expect((await page({ maxAgeMs: 60_000 })).messages[1]?.flags).toEqual(['Other']);
    });
  },
);
