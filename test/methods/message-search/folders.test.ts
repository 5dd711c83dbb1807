import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailboxEncoding } from '../../../src/imap/wire/mailbox-encoding.js';
import type { ParamsIn, Result } from '../../../src/protocol/contract.js';
import type { SortOverFolders } from '../../../src/protocol/criteria.js';
import { type Dialect, type DialectName, startDialect } from '../../support/dialects.js';
import { LeanImap } from '../../support/lean-imap.js';
import { message } from '../../support/mail.js';
import { type ServedMail, serveMail } from '../../support/running-broker.js';

type Asked = Partial<Omit<ParamsIn<'message.search'>, 'session'>>;
type Found = Result<'message.search'>;

const EPOCH = Date.parse('2024-03-01T12:00:00Z');
const minute = (number: number) => new Date(EPOCH + number * 60_000);
/** A folder name as it is in a command. */
const quoted = (folder: string) => `"${new MailboxEncoding(false).encode(folder).replace(/["\\]/g, '\\$&')}"`;
const show = ({ messages }: Pick<Found, 'messages'>) =>
  messages.map(({ envelope, mailbox }) => `${mailbox} ${envelope?.subject}`);

describe.each<DialectName>(['full', 'without QRESYNC', 'without CONDSTORE', 'bare', 'bare, INBOX. before each name'])(
  'message.search over folders of a server that is %s',
  (name) => {
    let dialect: Dialect;
    let mail: ServedMail;
    beforeAll(async () => {
      dialect = await startDialect(name);
      mail = await serveMail(dialect.dovecot);
    });
    afterAll(() => mail.stop());

    const delimiter = () => (dialect.prefix === '' ? '/' : '.');
    const named = (...levels: string[]) => dialect.prefix + levels.join(delimiter());

    /** Sends commands as another client of the user. */
    const otherOf =
      (user: string) =>
      async (...lines: string[]) => {
        const imap = await LeanImap.open(dialect.dovecot.plainPort, user, dialect.dovecot.password);
        await imap.all(...lines);
        await imap.close();
      };

    /** A user whose messages 0 to `count - 1` are dealt to these folders in turn; each arrived a minute after the other. */
    async function visitor(folders: string[], count: number) {
      const user = dialect.dovecot.user('over');
      await otherOf(user)(...folders.filter((one) => one !== 'INBOX').map((one) => `CREATE ${quoted(one)}`));
      const client = await dialect.dovecot.client(user);
      // From the newest on, so that the order of the uids is not that of the dates.
      for (let number = count - 1; number >= 0; number -= 1) {
        await client.append(folders[number % folders.length] ?? '', mailOf(number), [], minute(number));
      }
      await client.logout();
      const session = await mail.client.login(user);
      const ask = (asked: Asked = {}) =>
        mail.client.call('message.search', { session, mailboxes: folders, ...asked } as ParamsIn<'message.search'>);
      const commands = async (asked: Asked = {}) => {
        const answer = await ask({ ...asked, explain: true });
        return { answer, commands: answer.explain?.commands ?? [] };
      };
      return {
        user,
        session,
        ask,
        commands,
        other: otherOf(user),
        deliver: dialect.dovecot.deliver.bind(dialect.dovecot, user),
      };
    }

    function mailOf(number: number): Buffer {
      const letter = String.fromCharCode(97 + ((number * 7) % 26));
      return message({
        subject: `${number}`,
        from: `${letter}@example.com`,
        to: `to-${letter}@example.com`,
        cc: `cc-${letter}@example.com`,
        date: minute((number * 5) % 17),
        text: 'x'.repeat((number * 13) % 50),
      });
    }

    it('is one order, the newest first, with the folder of each message', async () => {
      const folders = ['INBOX', named('Work'), named('Work', 'Größe & "Co"'), named('Empty')];
      const { ask, other } = await visitor(folders.slice(0, 3), 12);
      await other(`CREATE "${named('Empty')}"`);
      const found = await ask({ mailboxes: [...folders, 'inbox', named('Work')] });
      expect(show(found)).toEqual(
        Array.from({ length: 12 }, (_, index) => `${folders[(11 - index) % 3]} ${11 - index}`),
      );
      expect(found).toMatchObject({ total: 12, searched: 4, incomplete: [], nextCursor: null, nextOffset: null });
      for (const row of found.messages) expect(row.uidValidity).toBeGreaterThan(0);
      const none = { total: 0, messages: [], nextCursor: null, nextOffset: null, incomplete: [], searched: 3 };
      expect(await ask({ filter: { subject: 'nothing like it' } })).toMatchObject(none);
      expect(await ask({ filter: { subject: 'nichts für' } })).toMatchObject(none);
      expect(await ask({ mailboxes: [named('Empty')] })).toMatchObject({ total: 0, searched: 1 });
      expect(await ask({ countOnly: true })).toMatchObject({ total: 12, messages: [], nextCursor: null });
      expect(show(await ask({ filter: { subject: '7' } }))).toEqual([`${folders[1]} 7`]);
    });

    it.each<SortOverFolders['by']>(['arrival', 'date', 'from', 'to', 'cc', 'subject', 'size'])(
      'is in the order of %s as if all were in one folder',
      async (by) => {
        const one = await visitor(['INBOX'], 17);
        const several = await visitor(['INBOX', named('B'), named('A'), named('C')], 17);
        for (const descending of [false, true]) {
          // The second key makes the order whole: the folders play no part in it.
          const sort: SortOverFolders[] = [
            { by, descending },
            { by: 'arrival', descending: false },
          ];
          const subjects = ({ messages }: Found) => messages.map(({ envelope }) => envelope?.subject);
          expect(subjects(await several.ask({ sort }))).toEqual(subjects(await one.ask({ sort })));
        }
      },
    );

    it('takes pages by cursor from one order, whatever arrives, vanishes or is deleted meanwhile', async () => {
      const folders = ['INBOX', named('A'), named('B')];
      const { ask, deliver, other } = await visitor(folders, 30);
      const pages: string[][] = [];
      let cursor: string | undefined;
      for (;;) {
        const page: Found = await ask({ limit: 7, ...(cursor && { cursor }) });
        pages.push(show(page));
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
        if (pages.length === 1) await deliver('INBOX', message({ subject: 'new' }), { date: minute(100) });
        // 13 is in A, and is its message of the uid 6; then B is gone altogether.
        if (pages.length === 2) await other(`SELECT "${folders[1]}"`, 'UID STORE 6 +FLAGS (\\Deleted)', 'EXPUNGE');
        if (pages.length === 3) await other(`DELETE "${folders[2]}"`);
      }
      const all = Array.from({ length: 30 }, (_, index) => `${folders[(29 - index) % 3]} ${29 - index}`);
      const whole = all.filter(
        (row, index) => row !== `${folders[1]} 13` && !(index >= 21 && row.startsWith(`${folders[2]} `)),
      );
      expect(pages.flat()).toEqual(whole);
      expect(show(await ask({ mailboxes: folders.slice(0, 2), limit: 1 }))).toEqual(['INBOX new']);
    });

    it.each<SortOverFolders['by']>(['arrival', 'subject'])(
      'goes on behind the last message in the order of %s, where the order is kept no more',
      async (by) => {
        const folders = ['INBOX', named('A'), named('B')];
        const { ask, deliver, other, session, user } = await visitor(folders, 20);
        const asked = { mailboxes: folders, sort: [{ by, descending: true }], limit: 6 };
        const whole = show(await ask({ ...asked, limit: 50 }));
        const first = await ask(asked);
        expect(show(first)).toEqual(whole.slice(0, 6));
        const cursor = first.nextCursor ?? '';
        let open = session;
        const later = async () => {
          // With its last session all that was kept of the account is forgotten.
          await mail.client.call('session.close', { session: open });
          open = await mail.client.login(user);
          return show(await mail.client.call('message.search', { session: open, ...asked, cursor }));
        };
        expect(await later()).toEqual(whole.slice(6, 12));
        await deliver('INBOX', message({ subject: '~' }), { date: minute(200) });
        expect(await later()).toEqual(whole.slice(6, 12));
        const last = first.messages.at(-1);
        await other(`SELECT "${last?.mailbox}"`, `UID STORE ${last?.uid} +FLAGS (\\Deleted)`, 'EXPUNGE');
        expect(await later()).toEqual(whole.slice(6, 12));
      },
    );

    it('takes pages by offset', async () => {
      const folders = ['INBOX', named('A')];
      const { ask } = await visitor(folders, 10);
      const whole = show(await ask());
      for (const offset of [0, 3, 9, 10, 500]) {
        const page = await ask({ offset, limit: 4 });
        expect(show(page)).toEqual(whole.slice(offset, offset + 4));
        expect(page.nextOffset).toBe(offset + 4 < 10 ? offset + 4 : null);
      }
      await expect(ask({ offset: 1, cursor: 'x' })).rejects.toMatchObject({ data: { field: 'offset' } });
      const { nextCursor } = await ask({ limit: 4 });
      for (const cursor of ['x', 'WyJh', nextCursor?.slice(0, -4) ?? '']) {
        await expect(ask({ cursor })).rejects.toMatchObject({ data: { kind: 'INVALID_PARAMS', field: 'cursor' } });
      }
      const strange = { cursor: nextCursor ?? '', filter: { seen: true } };
      await expect(ask(strange)).rejects.toMatchObject({ data: { kind: 'INVALID_PARAMS', field: 'cursor' } });
    });

    it('finds the folders below one, those subscribed to, and all', async () => {
      const folders = ['INBOX', named('Work'), named('Work', 'Deep'), named('Workshop'), named('Gone')];
      const { ask, other } = await visitor(folders, 5);
      await other(`SUBSCRIBE "${folders[3]}"`, `SUBSCRIBE "${folders[4]}"`, `DELETE "${folders[4]}"`);
      const mailboxes = async (asked: NonNullable<Asked['mailboxes']>) => show(await ask({ mailboxes: asked })).sort();
      expect(await mailboxes({ below: named('Work') })).toEqual([`${folders[1]} 1`, `${folders[2]} 2`]);
      expect(await mailboxes('subscribed')).toEqual([`${folders[3]} 3`]);
      expect(await mailboxes('all')).toEqual(['INBOX 0', `${folders[1]} 1`, `${folders[2]} 2`, `${folders[3]} 3`]);
      await expect(ask({ mailboxes: { below: named('None') } })).rejects.toMatchObject({ data: { kind: 'NOT_FOUND' } });
      const named404 = { data: { kind: 'NOT_FOUND' }, message: expect.stringContaining(`"${folders[4]}"`) };
      await expect(ask({ mailboxes: ['INBOX', folders[4] ?? ''] })).rejects.toMatchObject(named404);
    });

    it('searches again only what has changed, where the server tells of every change', async () => {
      const folders = ['INBOX', ...Array.from({ length: 11 }, (_, index) => named(`F${index}`))];
      const { commands, deliver, ask, other } = await visitor(folders, 36);
      const first = await commands();
      const again = await commands();
      expect(show(again.answer)).toEqual(show(first.answer));
      const count = (list: string[], command: RegExp) => list.filter((one) => command.test(one)).length;
      const tells = dialect.offered.has('CONDSTORE');
      expect(count(again.commands, /SORT|SEARCH/)).toBe(tells ? 0 : folders.length);
      if (tells) expect(count(again.commands, /STATUS/)).toBe(folders.length);
      await deliver(folders[3] ?? '', message({ subject: 'new' }), { date: minute(90) });
      await other(`SELECT "${folders[5]}"`, 'UID STORE 1 +FLAGS (\\Flagged)');
      const { answer, commands: third } = await commands();
      expect(show(answer)).toEqual([`${folders[3]} new`, ...show(first.answer)]);
      if (tells) expect(count(third, /SORT|SEARCH/)).toBe(2);
      expect(show(await ask({ filter: { flagged: true } }))).toHaveLength(1);
      expect(show(await ask({ filter: { flagged: true } }))).toHaveLength(1);
      await other(`SELECT "${folders[6]}"`, 'UID STORE 1 +FLAGS (\\Flagged)');
      expect(show(await ask({ filter: { flagged: true } }))).toHaveLength(2);
    });

    // Of two kinds of servers: the others differ in nothing that matters here, and 200 folders take seconds.
    const ofTwo = name === 'full' || name === 'bare' ? it : undefined;
    ofTwo?.('takes 200 folders', async () => {
      const folders = Array.from({ length: 200 }, (_, index) => named(`F${index}`));
      const { ask } = await visitor(folders, 250);
      const found = await ask({ limit: 20 });
      expect(show(found)).toEqual(Array.from({ length: 20 }, (_, i) => `${folders[(249 - i) % 200]} ${249 - i}`));
      expect(found).toMatchObject({ total: 250, searched: 200, incomplete: [] });
    });
  },
);
