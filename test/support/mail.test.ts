import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, startDovecot } from './dovecot.js';
import { imapClient } from './imap-client.js';
import { deterministicBytes, message } from './mail.js';
import { type MailFixture, mailFixtures } from './mail-fixtures.js';
import { bigAttachment } from './mail-fixtures-structure.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await startDovecot();
});
afterAll(() => dovecot.stop());

describe('composed mail', () => {
  it('is read back by a server as it was meant', async () => {
    const user = dovecot.user();
    const raw = message({
      from: 'Jörg Müller <joerg@example.com>',
      to: 'Bob <bob@example.com>',
      subject: `Ein langer Betreff über ${'Grüße, '.repeat(12)}Ende`,
      date: new Date('2024-01-02T03:04:05Z'),
      messageId: '<2@example.com>',
      inReplyTo: '<1@example.com>',
      references: ['<0@example.com>', '<1@example.com>'],
      text: 'Grüße',
      html: '<p>Grüße</p>',
      attachments: [{ filename: 'Übersicht "neu".pdf', contentType: 'application/pdf', content: Buffer.alloc(1000) }],
    });
    expect(raw.toString('latin1')).not.toMatch(/[^\r]\n|\r[^\n]|[\x80-\xff]/);
    await dovecot.deliver(user, 'INBOX', raw);
    const client = await imapClient(dovecot, user);
    await client.mailboxOpen('INBOX');
    const read = await client.fetchOne('1', { envelope: true, bodyStructure: true });
    if (!read) throw new Error('not there');
    expect(read.envelope).toMatchObject({
      subject: `Ein langer Betreff über ${'Grüße, '.repeat(12)}Ende`,
      from: [{ name: 'Jörg Müller', address: 'joerg@example.com' }],
      to: [{ name: 'Bob', address: 'bob@example.com' }],
      date: new Date('2024-01-02T03:04:05Z'),
      messageId: '<2@example.com>',
      inReplyTo: '<1@example.com>',
    });
    expect(read.bodyStructure).toMatchObject({
      type: 'multipart/mixed',
      childNodes: [
        { type: 'multipart/alternative', childNodes: [{ type: 'text/plain' }, { type: 'text/html' }] },
        { type: 'application/pdf', dispositionParameters: { filename: 'Übersicht "neu".pdf' } },
      ],
    });
  });
});

describe('mail as it is found', () => {
  it('is taken by a real server, every one of it', async () => {
    const user = dovecot.user();
    const all = Object.entries(mailFixtures) as Array<[string, MailFixture]>;
    await dovecot.deliver(
      user,
      'INBOX',
      all.map(([, fixture]) => fixture.raw()),
    );
    const client = await imapClient(dovecot, user);
    await client.mailboxOpen('INBOX');
    const read = await client.fetchAll('1:*', { envelope: true, size: true });
    expect(read).toHaveLength(all.length);
    for (const [index, [name, fixture]] of all.entries()) {
      expect(read[index]?.size, name).toBe(fixture.raw().length);
      const { subject, lossy } = fixture.expected;
      if (typeof subject !== 'string' || lossy) continue;
      expect(read[index]?.envelope?.subject?.trim(), name).toBe(subject);
    }
  });

  it('is the same every time', () => {
    expect(deterministicBytes(5).toString('hex')).toBe(deterministicBytes(5).toString('hex'));
    expect(bigAttachment(1000)).toEqual(bigAttachment(1000));
    expect(bigAttachment(25 * 1024 * 1024).length).toBeGreaterThan(34 * 1024 * 1024);
  });
});
