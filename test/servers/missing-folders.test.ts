import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodName } from '../../src/protocol/contract.js';
import { type Guest, type ServedMail, serve, serverNames } from './mail-server.js';

const uids = { uidValidity: 1, uids: [1] };
const data = Buffer.from('Subject: x\r\n\r\nx\r\n').toString('base64');

/** Every method that names a folder, with a folder. Writes may find out that their connection is lost. */
const methods: [MethodName, effect: 'read' | 'write', (mailbox: string, guest: Guest) => Record<string, unknown>][] = [
  ['message.list', 'read', (mailbox) => ({ mailbox })],
  ['message.get', 'read', (mailbox) => ({ mailbox, ...uids })],
  ['message.part', 'read', (mailbox) => ({ mailbox, uidValidity: 1, uid: 1, part: '1', transfer: 'inline' })],
  ['message.source', 'read', (mailbox) => ({ mailbox, uidValidity: 1, uid: 1, transfer: 'inline' })],
  ['message.search', 'read', (mailbox) => ({ mailboxes: [mailbox] })],
  ['message.threads', 'read', (mailbox) => ({ mailbox })],
  ['message.thread', 'read', (mailbox) => ({ mailbox, uidValidity: 1, uid: 1 })],
  ['watch.start', 'read', (mailbox) => ({ mailboxes: [mailbox] })],
  ['message.flag', 'write', (mailbox) => ({ mailbox, ...uids, action: 'add', flags: ['\\Seen'] })],
  ['message.copy', 'write', (mailbox) => ({ mailbox, ...uids, destination: 'INBOX' })],
  ['message.move', 'write', (mailbox) => ({ mailbox, ...uids, destination: 'INBOX' })],
  ['message.delete', 'write', (mailbox) => ({ mailbox, ...uids })],
  ['message.append', 'write', (mailbox) => ({ mailbox, data })],
  ['mailbox.rename', 'write', (mailbox, { named }) => ({ mailbox, newName: named('Renamed') })],
  ['mailbox.delete', 'write', (mailbox) => ({ mailbox })],
  ['mailbox.subscribe', 'write', (mailbox) => ({ mailbox })],
];

describe.each(serverNames)('on %s a folder that is not there', (name) => {
  let mail: ServedMail;
  beforeAll(async () => {
    mail = await serve(name);
  });
  afterAll(() => mail.stop());

  it.concurrent.each(methods)('is NOT_FOUND for %s', async (method, _effect, params) => {
    const guest = await mail.guest();
    expect(await guest.kindOf(method, params(guest.named('Nowhere'), guest))).toBe('NOT_FOUND');
    const { mailboxes } = await guest.ask('mailbox.list', {});
    expect(mailboxes.map((mailbox) => mailbox.name)).not.toContain(guest.named('Renamed'));
  });

  it.concurrent.each(methods)(
    'because another client has deleted it under the broker is NOT_FOUND for %s',
    async (...method) => {
      const [name, effect, params] = method;
      const guest = await mail.guest();
      const folder = guest.named('Gone');
      await guest.make(folder, 1);
      const { uidValidity } = await guest.ask('message.list', { mailbox: folder });
      await guest.other(`DELETE "${folder}"`);
      const asked = params(folder, guest);
      const kind = await guest.kindOf(name, 'uidValidity' in asked ? { ...asked, uidValidity } : asked);
      // Dovecot says BYE to sessions that have the folder selected.
      const lost = mail.name === 'Dovecot' && effect === 'write' ? ['CONNECTION_LOST'] : [];
      expect(['NOT_FOUND', ...lost]).toContain(kind);
    },
  );

  it.concurrent('is NOT_FOUND for mailbox.changes', async () => {
    const { ask, kindOf, make, named, other } = await mail.guest();
    const mailbox = named('Gone');
    await make(mailbox, 1);
    const { state } = await ask('message.list', { mailbox });
    await other(`DELETE "${mailbox}"`);
    expect(await kindOf('mailbox.changes', { mailbox, since: state })).toBe('NOT_FOUND');
  });

  it('has no counts', async () => {
    const { ask, named } = await mail.guest();
    const { statuses } = await ask('mailbox.status', { mailboxes: ['INBOX', named('Nowhere')] });
    expect(statuses.map(({ counts }) => counts?.messages)).toEqual([0, undefined]);
  });

  it.each(['message.copy', 'message.move'] as const)('is NOT_FOUND as the destination of %s', async (method) => {
    const { ask, append, kindOf, named } = await mail.guest();
    await append('INBOX');
    const { uidValidity } = await ask('message.list', { mailbox: 'INBOX' });
    const asked = { mailbox: 'INBOX', uidValidity, uids: [1], destination: named('Nowhere') };
    expect(await kindOf(method, asked)).toBe('NOT_FOUND');
    expect(await ask('message.list', { mailbox: 'INBOX' })).toMatchObject({ total: 1 });
  });
});
