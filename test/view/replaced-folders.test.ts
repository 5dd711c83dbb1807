import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../model/expected.js';
import { mailOf } from '../model/mails.js';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { appends, refusal, visitor } from './visitor.js';

describe.each<DialectName>(['full', 'without QRESYNC', 'bare', 'bare, INBOX. before each name'])(
  'a folder that the broker has selected, on a server that is %s,',
  (name) => {
    let dialect: Dialect;
    beforeAll(async () => {
      dialect = await startDialect(name);
    });
    afterAll(() => dialect.dovecot.stop());

    it('is another one when it was deleted and made again, with as many messages', async () => {
      const { page, look, ask, other, mailbox } = await visitor(dialect, 3);
      const before = await page();
      await other(`DELETE "${mailbox}"`, `CREATE "${mailbox}"`, ...appends(mailbox, 3, '\\Seen'));
      const after = await page();
      expect(after.uidValidity).not.toBe(before.uidValidity);
      const got = ask(0, 'message.get', { mailbox, uidValidity: before.uidValidity, uids: [1] });
      expect(await refusal(got)).toBe('STATE_CHANGED');
      await look();
    });

    it('is another one for counts as well', async () => {
      const { look, ask, other, mailbox, fresh } = await visitor(dialect, 3);
      await look();
      await other(`DELETE "${mailbox}"`, `CREATE "${mailbox}"`, ...appends(mailbox, 2));
      const { statuses } = await ask(0, 'mailbox.status', { mailboxes: [mailbox] });
      // Dovecot may lose what was just stored when a connection looks that had the deleted folder selected.
      const { uidValidity, uidNext, mails } = await fresh();
      expect(statuses[0]?.counts).toMatchObject({ messages: mails.length, unseen: mails.length, uidValidity, uidNext });
    });

    it('is another one when it was renamed and another one is put in its place', async () => {
      const { page, look, other, mailbox, named } = await visitor(dialect, 3);
      const twin = named('Twin');
      await other(`CREATE "${twin}"`, ...appends(twin, 3, '\\Flagged'));
      await look();
      await look({ mailbox: twin });
      await page();
      await other(`RENAME "${mailbox}" "${named('Away')}"`, `RENAME "${twin}" "${mailbox}"`);
      expect((await page()).messages.every(({ flags }) => flags?.includes('\\Flagged'))).toBe(true);
      expect(await look({ mailbox: named('Away') })).toEqual([3, 2, 1]);
    });

    it('is another one on each connection when the account itself deletes and makes it', async () => {
      const { page, ask, look, mailbox } = await visitor(dialect, 3);
      const together = () => Promise.all([0, 1, 0, 1].map((socket, at) => page({ socket, limit: 10 + at })));
      await together();
      await ask(0, 'mailbox.delete', { mailbox });
      await ask(1, 'mailbox.create', { mailbox });
      for (const { total } of await together()) expect(total).toBe(0);
      expect(await look()).toEqual([]);
    });

    it('takes a message when it was deleted and made again, or the connection is lost and the page right', async () => {
      const { page, ask, look, other, mailbox } = await visitor(dialect, 3);
      await page();
      await other(`DELETE "${mailbox}"`, `CREATE "${mailbox}"`);
      const data = Buffer.from(mailOf(2)).toString('base64');
      // Dovecot may say BYE to a connection whose folder is gone, whatever it is asked.
      const outcome = await outcomeOf(ask(0, 'message.append', { mailbox, data }));
      if ('error' in outcome) expect(outcome.error).toBe('CONNECTION_LOST');
      else expect(await look()).toEqual([1]);
      await look();
    });
  },
);
