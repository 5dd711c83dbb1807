import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Structure } from '../../../src/protocol/models.js';
import { dialects } from '../../support/dialects.js';
import { Dovecot } from '../../support/dovecot.js';
import { base64Lines, lines } from '../../support/mail.js';
import { fileAt, nestedMail, partAt, reading } from './nested.js';

const LEVELS = 11;

describe.each(['full', 'bare'] as const)('a message within a message (%s)', (dialect) => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start(dialects[dialect]);
  });
  afterAll(() => dovecot.stop());

  it('is opened with everything, ten levels deep, by numbers that hold for the outer message', async () => {
    const { account, get, part, uid } = await reading(dovecot, nestedMail(LEVELS));
    for (let level = 0; level < LEVELS; level += 1) {
      const at = partAt(level);
      const within = (number: number) => (at === '' ? String(number) : `${at}.${number}`);
      const { messages, notFound } = await get({ headers: true, ...(level > 0 && { part: at }) });
      expect(notFound).toEqual([]);
      const [message] = messages;
      expect(message).toMatchObject({ uid, truncated: false, envelope: { subject: `Level ${level}` } });
      expect(message?.envelope.from).toEqual([{ name: `Sender ${level}`, address: `s${level}@example.com` }]);
      expect(message?.headers?.find(({ name }) => name === 'X-Level')?.value).toBe(String(level));
      expect(message?.textBody?.map((item) => [item.part, item.content])).toEqual([[within(1), `Text ${level}`]]);
      const inner = level + 1 < LEVELS;
      const files = message?.attachments.map((file) => [file.part, file.fileName, file.message?.envelope.subject]);
      expect(files).toEqual([
        [within(2), `f${level}.bin`, undefined],
        ...(inner ? [[within(3), null, `Level ${level + 1}`]] : []),
      ]);
      expect((await part({ part: within(2) })).bytes).toEqual(fileAt(level));
      expect(message?.size).toBe(level === 0 ? nestedMail(LEVELS).length : nestedMail(LEVELS, level).length);
    }
    await account.close();
  });

  it('costs one round trip, and none but the barrier when it is opened again', async () => {
    const { account, get } = await reading(dovecot, nestedMail(3));
    await get();
    const exec = vi.spyOn(account.connection, 'exec');
    const commands = () => exec.mock.calls.splice(0).map(([, name]) => name);
    await get({ part: '3.3', headers: ['subject'] });
    expect(commands().filter((name) => name === 'UID FETCH')).toHaveLength(1);
    const again = await get({ part: '3.3', headers: ['SUBJECT', 'subject'] });
    expect(commands()).toEqual(['NOOP']);
    expect(again.messages[0]?.headers).toEqual([{ name: 'Subject', value: 'Level 2' }]);
    await account.close();
  });

  it('has its texts where they are long or far behind', async () => {
    const long = 'äöü and more\r\n'.repeat(20_000);
    const inner = lines(
      'Subject: =?utf-8?q?=C3=A4?=',
      'Content-Type: multipart/alternative; boundary=i',
      '',
      '--i',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      base64Lines(Buffer.from(long)),
      '--i',
      'Content-Type: text/html; charset=utf-8',
      '',
      '<p>html</p>',
      '--i--',
    );
    const mail = lines(
      'Content-Type: multipart/mixed; boundary=o',
      '',
      '--o',
      '',
      'outer',
      '--o',
      'Content-Type: message/rfc822; name=in.eml',
      'Content-Disposition: attachment; filename=in.eml',
      '',
      inner,
      '--o--',
    );
    const { account, get } = await reading(dovecot, mail);
    const [outer] = (await get()).messages;
    expect(outer?.attachments).toMatchObject([
      { part: '2', fileName: 'in.eml', type: 'message/rfc822', message: { envelope: { subject: 'ä' } } },
    ]);
    const [message] = (await get({ part: '2' })).messages;
    expect(message?.textBody?.map(({ part, content }) => [part, content])).toEqual([
      ['2.1', long.replaceAll('\r\n', '\n')],
    ]);
    expect(message?.htmlBody?.map(({ part, content }) => [part, content])).toEqual([['2.2', '<p>html</p>']]);
    const [html] = (await get({ part: '2', only: 'html' })).messages;
    expect(html).toMatchObject({ textBody: null, htmlBody: [{ content: '<p>html</p>' }] });
    await account.close();
  });

  it('is refused by name where it is none, is not there, or is of several messages', async () => {
    const encoded = lines(
      'Content-Type: multipart/mixed; boundary=o',
      '',
      '--o',
      '',
      'outer',
      '--o',
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: base64',
      '',
      base64Lines(nestedMail(1)),
      '--o',
      'Content-Type: multipart/mixed; boundary=p',
      '',
      '--p',
      '',
      'text',
      '--p--',
      '--o--',
    );
    const { account, get, part, uid } = await reading(dovecot, encoded);
    const absent = { kind: 'NOT_FOUND', field: 'part' };
    const none = { kind: 'INVALID_PARAMS', field: 'part' };
    await expect(get({ part: '9' })).rejects.toMatchObject(absent);
    await expect(get({ part: '2.9.9' })).rejects.toMatchObject(absent);
    await expect(get({ part: '1', headers: true })).rejects.toMatchObject(none);
    await expect(get({ part: '3' })).rejects.toMatchObject(none);
    await expect(get({ part: '2' })).rejects.toMatchObject({
      ...none,
      message: expect.stringContaining('message.part'),
    });
    expect((await get()).messages[0]?.attachments).toMatchObject([{ part: '2', message: null }]);
    expect((await part({ part: '2' })).bytes).toEqual(nestedMail(1));
    await expect(get({ part: '2', uids: [uid, uid + 1] })).rejects.toMatchObject({ kind: 'INVALID_PARAMS' });
    expect(await get({ part: '2', uids: [uid + 1] })).toMatchObject({ messages: [], notFound: [uid + 1] });
    await account.close();
  });

  it('is opened in mail that nests a hundred times, and in mail of thousands of parts', async () => {
    let deep = nestedMail(1);
    for (let level = 0; level < 100; level += 1)
      deep = lines(`Subject: ${level}`, 'Content-Type: message/rfc822', '', deep);
    const nested = await reading(dovecot, deep);
    const [second] = (await nested.get({ part: '1.1' })).messages;
    expect(second).toMatchObject({ envelope: { subject: '97' } });
    const depth = (node: Structure): number => 1 + Math.max(0, ...node.children.map(depth));
    expect(depth(second?.structure as Structure)).toBeLessThanOrEqual(51);
    await nested.account.close();
    const many = lines(
      'Content-Type: multipart/mixed; boundary=o',
      '',
      ...Array.from({ length: 9_999 }, (_, index) =>
        index % 100 === 99 ? ['--o', 'Content-Type: message/rfc822', '', `Subject: ${index}`, '', ''] : ['--o', '', ''],
      ).flat(),
      '--o--',
    );
    const wide = await reading(dovecot, many);
    const [all] = (await wide.get()).messages;
    expect(all).toMatchObject({ truncated: true });
    expect((await wide.get({ part: '100' })).messages[0]?.envelope.subject).toBe('99');
    // Beyond what the broker reads of a structure.
    await expect(wide.get({ part: '9900' })).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'part' });
    await wide.account.close();
  });
});
