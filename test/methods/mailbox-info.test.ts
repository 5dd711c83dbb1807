import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Dialect, type DialectName, startDialect } from '../support/dialects.js';
import { Dovecot } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { type ServedMail, serveMail } from '../support/running-broker.js';

describe.each<DialectName>(['full', 'without QRESYNC', 'without CONDSTORE', 'bare', 'bare, INBOX. before each name'])(
  'mailbox.info of a server that is %s',
  (name) => {
    let dialect: Dialect;
    let mail: ServedMail;
    beforeAll(async () => {
      dialect = await startDialect(name);
      mail = await serveMail(dialect.dovecot);
    });
    afterAll(() => mail.stop());
    const countsSizes = !name.startsWith('bare');
    const hasModseqs = name === 'full' || name === 'without QRESYNC';

    async function visitor(messages: Buffer[] = []) {
      const user = dialect.dovecot.user('info');
      const session = await mail.client.login(user);
      const mailbox = `${dialect.prefix}Facts`;
      await mail.client.call('mailbox.create', { session, mailbox });
      await dialect.dovecot.deliver(user, mailbox, messages);
      const info = (params: { size?: boolean; maxAgeMs?: number } = {}) =>
        mail.client.call('mailbox.info', { session, mailbox, explain: true, ...params });
      return { user, session, mailbox, info };
    }

    it('tells what an empty folder is and allows', async () => {
      const { mailbox, info } = await visitor();
      const { explain, meta, ...told } = await info();
      expect(told).toMatchObject({
        mailbox,
        uidNext: 1,
        messages: 0,
        unseen: 0,
        size: 0,
        readOnly: false,
        flags: expect.arrayContaining(['\\Seen', '\\Flagged']),
        permanentFlags: expect.arrayContaining(['\\Seen', '\\*']),
        keywordsAllowed: true,
        specialUse: null,
        attributes: expect.arrayContaining(['\\HasNoChildren']),
        rights: null,
        mailboxId: null,
        appendLimit: null,
        noInferiors: false,
        highestModseq: hasModseqs ? expect.stringMatching(/^[1-9]\d*$/) : null,
      });
      expect(meta.source).toBe('server');
      expect(explain?.commands).toEqual(['SELECT', 'STATUS', 'LIST']);
    });

    it('has the bytes of all messages, and asks for no size twice', async () => {
      const mails = [message(), message(), message()];
      const bytes = (some: Buffer[]) => some.reduce((sum, { length }) => sum + length, 0);
      const { user, session, mailbox, info } = await visitor(mails);
      const first = await info();
      expect(first).toMatchObject({ messages: 3, unseen: 3, uidNext: 4, size: bytes(mails) });
      const again = await info();
      expect(again).toMatchObject({ messages: 3, size: bytes(mails) });
      const more = [message(), message()];
      await dialect.dovecot.deliver(user, mailbox, more);
      const grown = await info();
      expect(grown).toMatchObject({ messages: 5, uidNext: 6, size: bytes([...mails, ...more]) });
      const { uidValidity } = grown;
      await mail.client.call('message.flag', {
        session,
        mailbox,
        uidValidity,
        uids: [1, 2],
        action: 'add',
        flags: ['\\Seen'],
      });
      const seen = await info();
      expect(seen).toMatchObject({ unseen: 3, size: grown.size });
      const client = await dialect.dovecot.client(user);
      await client.mailboxOpen(mailbox);
      await client.messageDelete('2', { uid: true });
      await dialect.dovecot.deliver(user, mailbox, [message()]);
      const shrunk = await info();
      expect(shrunk).toMatchObject({ messages: 5, uidNext: 7 });
      await client.noop();
      let sum = 0;
      for await (const { size } of client.fetch('1:*', { size: true })) sum += size ?? 0;
      expect(shrunk.size).toBe(sum);
      const fetched = [first, again, grown, seen, shrunk].map(({ explain }) =>
        (explain?.commands ?? []).filter((command) => command.endsWith('FETCH')),
      );
      expect(fetched).toEqual(
        countsSizes ? [[], [], [], [], []] : [['FETCH'], [], ['UID FETCH'], [], ['UID FETCH', 'FETCH']],
      );
    });

    it('fetches no sizes where none are wanted', async () => {
      const { info } = await visitor([message()]);
      const { size, explain } = await info({ size: false });
      expect(size === null).toBe(!countsSizes);
      expect(explain?.commands).toEqual(['SELECT', 'STATUS', 'LIST']);
    });

    it('leaves the view that follows the folder as it is', async () => {
      const { user, session, mailbox, info } = await visitor([message()]);
      const list = () => mail.client.call('message.list', { session, mailbox, explain: true });
      await list();
      await dialect.dovecot.deliver(user, mailbox, [message()]);
      expect(await info()).toMatchObject({ messages: 2 });
      const after = await list();
      expect(after.total).toBe(2);
      expect(after.explain?.commands).not.toContain('SELECT');
    });

    it('tells a keyword that was made while the folder is selected', async () => {
      const { user, mailbox, info } = await visitor([message()]);
      expect((await info()).flags).not.toContain('$Fresh');
      const client = await dialect.dovecot.client(user);
      await client.mailboxOpen(mailbox);
      await client.messageFlagsAdd('1', ['$Fresh']);
      await expect.poll(async () => (await info()).flags).toContain('$Fresh');
      expect((await info()).permanentFlags).toContain('$Fresh');
    });

    it('is NOT_FOUND for a folder that is not there', async () => {
      const { session } = await visitor();
      const missing = mail.client.call('mailbox.info', { session, mailbox: `${dialect.prefix}Missing` });
      await expect(missing).rejects.toMatchObject({ data: { kind: 'NOT_FOUND', field: 'mailbox' } });
    });

    it('may be answered from memory', async () => {
      const { info } = await visitor([message()]);
      const { meta, explain, ...first } = await info({ maxAgeMs: 60_000 });
      const { meta: known, explain: none, ...second } = await info({ maxAgeMs: 60_000 });
      expect(second).toEqual(first);
      expect(known).toEqual({ source: 'cache', asOf: meta.asOf });
      expect([explain?.commands.length === 0, none?.commands]).toEqual([false, []]);
    });

    it('has facts in a list as well', async () => {
      const { session, mailbox, info } = await visitor([message()]);
      const { mailboxes, explain } = await mail.client.call('mailbox.list', { session, facts: true, explain: true });
      const found = mailboxes.find((one) => one.name === mailbox);
      const { rights, mailboxId, highestModseq, appendLimit, noInferiors, size, attributes } = await info();
      expect(found?.facts).toEqual({
        ...{ rights, mailboxId, highestModseq, appendLimit, noInferiors },
        size: countsSizes ? size : null,
      });
      expect(found?.attributes).toEqual(expect.arrayContaining(attributes));
      expect(found?.counts).toBeNull();
      const one = mailboxes.length === 2 ? ['STATUS', 'STATUS'] : [];
      expect(explain?.commands).toEqual(countsSizes ? ['LIST'] : ['LIST', 'LSUB', ...one]);
      const plain = await mail.client.call('mailbox.list', { session });
      expect(plain.mailboxes.map(({ facts }) => facts)).toEqual(plain.mailboxes.map(() => null));
    });
  },
);

describe('mailbox.info of Dovecot with ACL', () => {
  it('tells the rights, and those of each folder in a list', async () => {
    const settings = `
      plugin {
        acl = vfile
      }
      mail_plugins = acl
      protocol imap {
        mail_plugins = acl imap_acl
      }`;
    const mail = await serveMail(await Dovecot.start({ settings }));
    onTestFinished(() => mail.stop());
    const session = await mail.client.login(mail.dovecot.user('acl'));
    await mail.client.call('mailbox.create', { session, mailbox: 'Mine' });
    const { rights, explain } = await mail.client.call('mailbox.info', { session, mailbox: 'Mine', explain: true });
    expect([...(rights ?? '')].sort().join('')).toMatch(/^acdeiklprstwx$/);
    expect(explain?.commands).toEqual(['SELECT', 'STATUS', 'MYRIGHTS', 'LIST']);
    const { mailboxes, ...listed } = await mail.client.call('mailbox.list', { session, facts: true, explain: true });
    expect(mailboxes.map(({ facts }) => facts?.rights)).toEqual(mailboxes.map(() => rights));
    const { offered } = await mail.client.call('session.info', { session });
    const asked = offered.includes('LIST-MYRIGHTS') ? [] : mailboxes.map(() => 'MYRIGHTS');
    expect(listed.explain?.commands).toEqual(['NOOP', 'LIST', ...asked]);
  });
});
