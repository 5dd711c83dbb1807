import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { appends, visitor } from './visitor.js';

describe.each<DialectName>(['full', 'without QRESYNC', 'bare'])(
  'a message that came after the broker’s connection selected the folder, on a server that is %s,',
  (name) => {
    let dialect: Dialect;
    beforeAll(async () => {
      dialect = await startDialect(name);
    });
    afterAll(() => dialect.dovecot.stop());

    /** The caller knows of the message, by an event or from another connection; the broker's connection does not. */
    async function arrived() {
      const one = await visitor(dialect, 1);
      const { uidValidity } = await one.page();
      await one.other(`CREATE "${one.named('Other')}"`, ...appends(one.mailbox, 1));
      return { ...one, folder: { mailbox: one.mailbox, uidValidity, uids: [2] }, destination: one.named('Other') };
    }

    it('can be flagged', async () => {
      const { ask, folder } = await arrived();
      const answer = await ask(0, 'message.flag', { ...folder, action: 'add', flags: ['\\Seen'] });
      expect(answer).toMatchObject({ messages: [{ uid: 2, flags: ['\\Seen'] }], notFound: [] });
    });

    it('can be copied', async () => {
      const { ask, folder, destination, page } = await arrived();
      expect(await ask(0, 'message.copy', { ...folder, destination })).toMatchObject({ notFound: [] });
      expect((await page({ mailbox: destination })).total).toBe(1);
    });

    it('can be moved, or is refused to be', async () => {
      const { ask, folder, destination } = await arrived();
      const moving = ask(0, 'message.move', { ...folder, destination }).catch(({ data }) => data);
      expect(await moving).toMatchObject(dialect.offered.has('MOVE') ? { notFound: [] } : { kind: 'IMAP_NO' });
    });

    it('can be deleted, or is refused to be', async () => {
      const { ask, folder } = await arrived();
      const deleting = ask(0, 'message.delete', folder).catch(({ data }) => data);
      expect(await deleting).toMatchObject(dialect.offered.has('UIDPLUS') ? { deleted: [2] } : { kind: 'IMAP_NO' });
    });
  },
);
