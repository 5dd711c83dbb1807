import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServedMail, serve, serverNames } from './mail-server.js';

describe.each(serverNames)('on %s a name that is taken', (name) => {
  let mail: ServedMail;
  beforeAll(async () => {
    mail = await serve(name);
  });
  afterAll(() => mail.stop());

  it.concurrent('is not created again, and the answer says so', async () => {
    const { ask, make, named } = await mail.guest();
    const mailbox = named('Taken');
    await make(mailbox, 1);
    expect(await ask('mailbox.create', { mailbox })).toMatchObject({ mailbox, created: false });
    expect(await ask('message.list', { mailbox })).toMatchObject({ total: 1 });
  });

  it.concurrent('is refused as the new name of another folder, which stays', async () => {
    const { ask, kindOf, make, named } = await mail.guest();
    const [mailbox, newName] = [named('Here'), named('Taken')];
    await make(mailbox, 2);
    await make(newName, 1);
    expect(await kindOf('mailbox.rename', { mailbox, newName })).toBe('IMAP_NO');
    expect(await ask('message.list', { mailbox })).toMatchObject({ total: 2 });
    expect(await ask('message.list', { mailbox: newName })).toMatchObject({ total: 1 });
  });

  it.concurrent('is no longer taken by a folder that was renamed or deleted', async () => {
    const { ask, make, named } = await mail.guest();
    const [mailbox, newName] = [named('Here'), named('There')];
    await make(mailbox, 2);
    expect(await ask('mailbox.rename', { mailbox, newName })).toEqual({ mailbox: newName });
    const names = async () => (await ask('mailbox.list', {})).mailboxes.map((each) => each.name);
    expect(await names()).toContain(newName);
    expect(await names()).not.toContain(mailbox);
    await ask('mailbox.delete', { mailbox: newName });
    expect(await names()).not.toContain(newName);
  });

  it.concurrent('is subscribed and unsubscribed however often', async () => {
    const { ask, make, named } = await mail.guest();
    const mailbox = named('Often');
    await make(mailbox);
    for (const method of ['mailbox.subscribe', 'mailbox.unsubscribe'] as const) {
      expect(await ask(method, { mailbox })).toEqual({ mailbox });
      expect(await ask(method, { mailbox })).toEqual({ mailbox });
    }
  });
});
