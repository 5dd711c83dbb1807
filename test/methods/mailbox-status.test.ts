import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { type ServedMail, serveMail } from '../support/running-broker.js';

describe.each([
  ['with LIST-STATUS', undefined, ['LIST']],
  ['without LIST-EXTENDED', 'IMAP4rev1 LIST-STATUS', Array(5).fill('STATUS')],
  ['of IMAP4rev1 alone', 'IMAP4rev1', Array(5).fill('STATUS')],
])('counts at a server %s', (_what, imapCapability, commands) => {
  let mail: ServedMail;
  beforeAll(async () => {
    mail = await serveMail(
      await Dovecot.start({ separator: '/', ...(imapCapability === undefined ? {} : { imapCapability }) }),
    );
  });
  afterAll(() => mail.stop());

  async function visitor(...folders: string[]) {
    const user = newUser('counted');
    const session = await mail.client.login(user);
    for (const mailbox of folders) await mail.client.call('mailbox.create', { session, mailbox, subscribe: false });
    const count = async (...mailboxes: string[]) => {
      const { statuses, explain } = await mail.client.call('mailbox.status', { session, mailboxes, explain: true });
      return { counted: statuses.map(({ counts }) => counts && [counts.messages, counts.unseen]), statuses, explain };
    };
    return { user, session, count };
  }

  it('of five folders', async () => {
    const { user, session, count } = await visitor('a', 'b');
    await mail.dovecot.deliver(user, 'a', [message(), message()]);
    const { counted, statuses, explain } = await count('INBOX', 'a', 'b', 'Sent', 'Trash');
    expect(explain?.commands).toEqual(commands);
    expect(counted).toEqual([
      [0, 0],
      [2, 2],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    const { mailboxes } = await mail.client.call('mailbox.list', { session, counts: true });
    expect(mailboxes.find(({ name }) => name === 'a')?.counts).toEqual(statuses[1]?.counts);
  });

  it('of the folder that is selected are as it is now', async () => {
    const { user, session, count } = await visitor('a');
    await mail.client.call('message.list', { session, mailbox: 'a' });
    await mail.dovecot.deliver(user, 'a', [message()]);
    expect((await count('a', 'INBOX')).counted).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it('of names that are odd, or of nothing', async () => {
    const composed = 'Entw\u00fcrfe';
    const names = ['level/below', composed, 'q"uo\\te', 'with space', '100%', 'a & b', '日本語'];
    const { count } = await visitor(...names);
    const none = ['level', 'missing', 'below', 'e\u0301', composed.normalize('NFD'), 'level/below/', '*', '%', 'a/%'];
    const { counted, statuses } = await count(...names, ...none, 'iNbOx');
    expect(counted).toEqual([...names.map(() => [0, 0]), ...none.map(() => null), [0, 0]]);
    expect(statuses.map(({ mailbox }) => mailbox)).toEqual([...names, ...none, 'iNbOx']);
  });

  it('of 200 folders', async () => {
    const { user, count } = await visitor('f1', 'f2', 'f199');
    await mail.dovecot.deliver(user, 'f199', [message()]);
    const { counted } = await count(...Array.from({ length: 200 }, (_, index) => `f${index}`));
    expect(counted.filter((counts) => counts !== null)).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
  });
});
