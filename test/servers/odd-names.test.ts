import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guest, type ServedMail, type ServerName, serve, serverNames } from './mail-server.js';

const names = [
  ...[...'~}{[]%*"\\()#\'^@|:;?&$!+=<>,_`'].map((letter) => `a${letter}b`),
  ...['~a', '[a]', '{3}', '{3+}', 'a b', ' a', 'NIL', 'a&-b', 'Entwürfe', '日本語', 'Post 📬'],
];

/** What the server itself refuses to create. */
const refused: Record<ServerName, RegExp> = {
  Dovecot: /^~/,
  Cyrus: /["\\^|;{}%!`<>]/,
  // Names above U+FFFF it takes through UTF8=ACCEPT alone, and other clients cannot open them then.
  Courier: /📬/u,
};

describe.each(serverNames)('on %s', (server) => {
  let mail: ServedMail;
  let guest: Guest;
  beforeAll(async () => {
    mail = await serve(server);
    guest = await mail.guest();
  });
  afterAll(() => mail.stop());

  // Cyrus ends the connection at LIST "" "{3}", whatever client sends it.
  it.each(names.filter((name) => server !== 'Cyrus' || name !== '{3}'))(
    'the folder %s is created, listed, filled and read, or refused',
    async (name) => {
      const { ask, kindOf, named } = guest;
      const mailbox = named(name);
      const created = await kindOf('mailbox.create', { mailbox });
      expect(created).toBe(refused[server].test(name) ? 'IMAP_NO' : 'ok');
      if (created !== 'ok') return;
      const listed = async () =>
        (await ask('mailbox.list', { counts: true })).mailboxes.find((one) => one.name === mailbox);
      const data = Buffer.from('Subject: x\r\n\r\nx\r\n').toString('base64');
      await ask('message.append', { mailbox, data });
      expect(await listed()).toMatchObject({ counts: { messages: 1 } });
      const { uidValidity, messages } = await ask('message.list', { mailbox });
      expect(messages).toMatchObject([{ envelope: { subject: 'x' } }]);
      const uids = messages.map(({ uid }) => uid);
      await ask('message.copy', { mailbox, uidValidity, uids, destination: mailbox });
      const { statuses } = await ask('mailbox.status', { mailboxes: [mailbox] });
      expect(statuses).toMatchObject([{ mailbox, counts: { messages: 2 } }]);
    },
  );

  // One after the other they would take minutes on Courier, which takes two seconds for each.
  it.concurrent.each(
    ['a~b', 'a}b', 'a[b', 'a]b', 'a(b', 'a&b', '~a', 'Entwürfe'].filter((name) => !refused[server].test(name)),
  )('the folder %s is renamed and deleted', async (name) => {
    const { ask, make, named } = await mail.guest();
    const [mailbox, newName] = [named(name), named('Plain')];
    await make(newName, 2);
    const folders = async () => (await ask('mailbox.list', {})).mailboxes.map((one) => one.name);
    await ask('mailbox.rename', { mailbox: newName, newName: mailbox });
    expect(await ask('message.list', { mailbox })).toMatchObject({ total: 2 });
    await ask('mailbox.rename', { mailbox, newName });
    await ask('mailbox.rename', { mailbox: newName, newName: mailbox });
    expect(await folders()).toContain(mailbox);
    await ask('mailbox.delete', { mailbox });
    expect(await folders()).not.toContain(mailbox);
  });

  it('UTF8=ACCEPT is never enabled: other clients could not open what is made then', async () => {
    const { ask, named, other } = guest;
    await ask('mailbox.create', { mailbox: named('Entwürfe') });
    await other(`SELECT "${named('Entw&APw-rfe')}"`, 'SELECT INBOX');
    expect(mail.lines.filter((line) => /^\S+ ENABLE .*UTF8/i.test(line))).toEqual([]);
  });
});
