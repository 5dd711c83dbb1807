import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dovecot } from '../support/dovecot.js';
import { LeanImap } from '../support/lean-imap.js';
import { type ServedMail, serveMail } from '../support/running-broker.js';

const settings = `
mail_attribute_dict = file:%h/attributes
plugin {
  acl = vfile
}
mail_plugins = acl
protocol imap {
  imap_metadata = yes
  mail_plugins = acl imap_acl
}`;

let mail: ServedMail;
let plain: ServedMail;
beforeAll(async () => {
  mail = await serveMail(await Dovecot.start({ settings }));
  plain = await serveMail(await Dovecot.start({ imapCapability: 'IMAP4rev1' }));
});
afterAll(() => Promise.all([mail.stop(), plain.stop()]));

async function visitor({ dovecot, client }: ServedMail) {
  const user = dovecot.user('owner');
  const session = await client.login(user);
  const other = await LeanImap.open(dovecot.plainPort, user, dovecot.password);
  return { user, session, other };
}

describe('mailbox.acl', () => {
  it('tells who may do what', async () => {
    const { user, session, other } = await visitor(mail);
    await other.all('SETACL INBOX other.user lrs', 'SETACL INBOX -other.user w');
    await other.close();
    const { entries, meta } = await mail.client.call('mailbox.acl', { session, mailbox: 'inbox' });
    expect(meta.source).toBe('server');
    expect(entries).toEqual(
      expect.arrayContaining([
        { identifier: 'other.user', rights: 'lrs' },
        { identifier: '-other.user', rights: 'w' },
        { identifier: user, rights: expect.stringMatching(/^[a-z]{8,}$/) },
      ]),
    );
  });

  it('is refused for a folder that is not there, and by a server without ACL', async () => {
    const { session } = await visitor(mail);
    const missing = mail.client.call('mailbox.acl', { session, mailbox: 'Missing' });
    await expect(missing).rejects.toMatchObject({ data: { kind: 'NOT_FOUND' } });
    const without = await visitor(plain);
    const refused = plain.client.call('mailbox.acl', { session: without.session, mailbox: 'INBOX' });
    await expect(refused).rejects.toMatchObject({ data: { kind: 'UNSUPPORTED', field: 'mailbox', executed: 'no' } });
  });
});

describe('mailbox.metadata', () => {
  it('tells annotations of a folder and of the server', async () => {
    const { session, other } = await visitor(mail);
    await other.all(
      'SETMETADATA INBOX (/private/comment "mine" /shared/comment {3+}\r\na"b)',
      'SETMETADATA "" (/private/vendor/x "of the server")',
    );
    await other.close();
    const ask = async (mailbox: string | null, ...entries: string[]) =>
      (await mail.client.call('mailbox.metadata', { session, mailbox, entries })).entries;
    expect(await ask('INBOX', '/shared/comment', '/private/comment', '/private/none')).toEqual([
      { entry: '/shared/comment', value: 'a"b' },
      { entry: '/private/comment', value: 'mine' },
      { entry: '/private/none', value: null },
    ]);
    expect(await ask(null, '/private/vendor/x')).toEqual([{ entry: '/private/vendor/x', value: 'of the server' }]);
  });

  it('is refused for a folder that is not there, for other names, and by a server without METADATA', async () => {
    const { session } = await visitor(mail);
    const ask = (mailbox: string, entry: string) =>
      mail.client.call('mailbox.metadata', { session, mailbox, entries: [entry] });
    await expect(ask('Missing', '/private/comment')).rejects.toMatchObject({ data: { kind: 'NOT_FOUND' } });
    for (const entry of ['comment', '/other/x', '/private/a"b', '/private/a b', '/private/*', '/private/'])
      await expect(ask('INBOX', entry)).rejects.toMatchObject({ data: { kind: 'INVALID_PARAMS' } });
    const without = await visitor(plain);
    const params = { session: without.session, mailbox: 'INBOX', entries: ['/private/comment'] };
    const refused = plain.client.call('mailbox.metadata', params);
    await expect(refused).rejects.toMatchObject({ data: { kind: 'UNSUPPORTED', executed: 'no' } });
  });
});
