import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodName, ParamsIn, Result } from '../../../src/protocol/contract.js';
import { type Dialect, type DialectName, startDialect } from '../../support/dialects.js';
import { message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';

type Explained<M extends MethodName> = Result<M> & { explain: { commands: string[] } };

describe.each<DialectName>(['full', 'without QRESYNC', 'without CONDSTORE', 'bare'])(
  'message.get with markSeen (%s)',
  (name) => {
    let dialect: Dialect;
    let mail: ServedMail;
    beforeAll(async () => {
      dialect = await startDialect(name);
      mail = await serveMail(dialect.dovecot);
    });
    afterAll(() => mail.stop());

    async function visitor({ looks = true } = {}) {
      const user = dialect.dovecot.user('seer');
      await dialect.dovecot.deliver(user, 'INBOX', Array(3).fill(message({ text: 'text' })));
      const session = await mail.client.login(user);
      const call = async <M extends MethodName>(method: M, params: Omit<ParamsIn<M>, 'session'>) => {
        const asked = { session, explain: true, ...params } as unknown as ParamsIn<M>;
        return (await mail.client.call(method, asked)) as Explained<M>;
      };
      const { statuses } = await call('mailbox.status', { mailboxes: ['INBOX'] });
      const folder = { mailbox: 'INBOX', uidValidity: statuses[0]?.counts?.uidValidity ?? 0 };
      const list = (options: { maxAgeMs?: number } = {}) =>
        call('message.list', { mailbox: 'INBOX', fields: ['flags'], ...options }) as Promise<
          Explained<'message.list'> & { messages: Array<{ uid: number; flags: string[] }> }
        >;
      if (looks) await list();
      const get = (uids: number[], options: { markSeen?: boolean; maxAgeMs?: number } = { markSeen: true }) =>
        call('message.get', { ...folder, uids, ...options });
      return { user, call, folder, list, get };
    }
    const flagsOf = ({ messages }: Result<'message.get'>) => messages.map(({ uid, flags }) => [uid, flags]);

    it('sets the flag in the round trip that opens a message, and costs nothing more the next time', async () => {
      const { user, get, list } = await visitor();
      const first = await get([1]);
      expect(first.explain.commands.filter((command) => command !== 'STATUS')).toEqual([
        'NOOP',
        'UID FETCH',
        'UID STORE',
      ]);
      expect(flagsOf(first)).toEqual([[1, ['\\Seen']]]);
      const again = await get([1]);
      expect(again.explain.commands).not.toContain('UID STORE');
      expect(flagsOf(again)).toEqual([[1, ['\\Seen']]]);
      const other = await dialect.dovecot.client(user);
      await other.mailboxOpen('INBOX');
      expect([...(((await other.fetchOne('1', { flags: true })) || { flags: [] }).flags ?? [])]).toContain('\\Seen');
      await other.logout();
      expect((await list({ maxAgeMs: 60_000 })).messages.map(({ flags }) => flags)).toEqual([[], [], ['\\Seen']]);
    });

    it('marks messages that were opened before, by a flag alone', async () => {
      const { get } = await visitor();
      expect(flagsOf(await get([1, 2], {}))).toEqual([
        [1, []],
        [2, []],
      ]);
      const marked = await get([1, 2, 3]);
      expect(marked.explain.commands.filter((command) => command === 'UID STORE')).toHaveLength(1);
      expect(flagsOf(marked)).toEqual([1, 2, 3].map((uid) => [uid, ['\\Seen']]));
      expect(flagsOf(await get([1, 2, 3], { maxAgeMs: 60_000 }))).toEqual([1, 2, 3].map((uid) => [uid, ['\\Seen']]));
    });

    it('is answered from memory only of messages that have the flag', async () => {
      const { get } = await visitor();
      await get([1], {});
      const fresh = await get([1], { markSeen: true, maxAgeMs: 60_000 });
      expect(flagsOf(fresh)).toEqual([[1, ['\\Seen']]]);
      expect(fresh.explain.commands).toContain('UID STORE');
      expect((await get([1], { markSeen: true, maxAgeMs: 60_000 })).explain.commands).toEqual([]);
    });

    it('shares no answer with a request that sets no flag', async () => {
      const { get } = await visitor();
      const [plain, marked] = await Promise.all([get([2], {}), get([2])]);
      expect(plain.messages).toHaveLength(1);
      expect(flagsOf(marked)).toEqual([[2, ['\\Seen']]]);
    });

    it('works in a folder that was not listed, and names what is missing', async () => {
      const { get } = await visitor({ looks: false });
      const answer = await get([3, 77]);
      expect(flagsOf(answer)).toEqual([[3, ['\\Seen']]]);
      expect(answer.notFound).toEqual([77]);
    });

    it('counts in mailbox.status, although an older answer is kept', async () => {
      const { get, call } = await visitor();
      const unseen = async () => {
        const { statuses } = await call('mailbox.status', { mailboxes: ['INBOX'], maxAgeMs: 60_000 });
        return statuses[0]?.counts?.unseen;
      };
      expect(await unseen()).toBe(3);
      await get([1]);
      expect(await unseen()).toBe(2);
    });
  },
);
