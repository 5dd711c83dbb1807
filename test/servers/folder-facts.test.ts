import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServedMail, serve, serverNames } from './mail-server.js';

describe.each(serverNames)('on %s the facts of a folder', (name) => {
  let mail: ServedMail;
  beforeAll(async () => {
    mail = await serve(name);
  });
  afterAll(() => mail.stop());

  it('are those of its list, and true', async () => {
    const guest = await mail.guest();
    const mailbox = guest.named('facts');
    await guest.make(mailbox, 3);
    const { meta, ...info } = await guest.ask('mailbox.info', { mailbox });
    expect(meta.source).toBe('server');
    expect(info).toMatchObject({ mailbox, messages: 3, unseen: 3, uidNext: 4, readOnly: false, keywordsAllowed: true });
    expect(info.size).toBeGreaterThan(0);
    expect(info.permanentFlags).toEqual(expect.arrayContaining(['\\Seen', '\\Flagged']));
    if (name !== 'Dovecot') expect(info.rights).toMatch(/^(?=.*l)(?=.*r)(?=.*s)(?=.*w)[a-z0-9]+$/);
    else expect(info.rights).toBeNull();
    if (name === 'Cyrus') expect(info.mailboxId).toMatch(/^[\w-]+$/);
    const { mailboxes } = await guest.ask('mailbox.list', { facts: true, counts: true });
    const listed = mailboxes.find((one) => one.name === mailbox);
    const { rights, mailboxId, highestModseq, appendLimit, noInferiors, size } = info;
    // Cyrus answers freed memory to a STATUS of a folder that is not selected.
    const listedId = name === 'Cyrus' ? null : mailboxId;
    expect(listed?.facts).toMatchObject({ rights, mailboxId: listedId, highestModseq, appendLimit, noInferiors });
    expect([size, null]).toContain(listed?.facts?.size);
    expect(listed?.counts).toMatchObject({ messages: 3, unseen: 3 });
  });

  it('are as they are now where the folder is selected', async () => {
    const guest = await mail.guest();
    const mailbox = guest.named('facts');
    await guest.make(mailbox, 2);
    const first = await guest.ask('mailbox.info', { mailbox });
    await guest.append(mailbox);
    await guest.change(mailbox, 'UID STORE 1 +FLAGS (\\Seen)');
    const second = await guest.ask('mailbox.info', { mailbox });
    expect(second).toMatchObject({ messages: 3, unseen: 2, uidNext: 4 });
    expect(second.size).toBeGreaterThan(first.size ?? 0);
    await guest.change(mailbox, 'UID STORE 2 +FLAGS (\\Deleted)', 'EXPUNGE');
    expect(await guest.ask('mailbox.info', { mailbox })).toMatchObject({ messages: 2, unseen: 1, uidNext: 4 });
  });

  it('are of the folder that has the name now', async () => {
    const guest = await mail.guest();
    const mailbox = guest.named('facts');
    await guest.make(mailbox, 2);
    const first = await guest.ask('mailbox.info', { mailbox });
    expect(first).toMatchObject({ messages: 2 });
    await guest.other(`RENAME "${mailbox}" "${guest.named('away')}"`);
    await guest.make(mailbox, 1);
    const second = await guest.ask('mailbox.info', { mailbox });
    expect(second).toMatchObject({ messages: 1, unseen: 1 });
    if (first.mailboxId !== null) expect(second.mailboxId).not.toBe(first.mailboxId);
  });

  it('come with what the server calls itself', async () => {
    const guest = await mail.guest();
    const { software, offered } = await guest.ask('session.info', {});
    expect(offered).toEqual(expect.arrayContaining(['IMAP4rev1', 'IDLE']));
    if (name === 'Courier') expect(software).toEqual(null);
    else expect(software?.name).toMatch(new RegExp(name, 'i'));
  });
});
