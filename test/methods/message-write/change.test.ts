import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asker } from '../../support/ask.js';
import { Dovecot, newUser } from '../../support/dovecot.js';
import { message } from '../../support/mail.js';

/** Servers by what they lack. */
const kinds = {
  rich: {},
  'without MOVE': { imapCapability: 'IMAP4rev1 SASL-IR ID UIDPLUS' },
  'without UIDPLUS': { imapCapability: 'IMAP4rev1 SASL-IR ID MOVE' },
  'without either': { imapCapability: 'IMAP4rev1 SASL-IR ID' },
};
type Kind = keyof typeof kinds;
const all = Object.keys(kinds) as Kind[];

const servers = new Map<Kind, Dovecot>();
beforeAll(async () => {
  for (const [kind, options] of Object.entries(kinds)) servers.set(kind as Kind, await Dovecot.start(options));
});
afterAll(async () => {
  for (const dovecot of servers.values()) await dovecot.stop();
});

/** A user with three messages in INBOX and an empty folder Archive, asked by the handlers. */
async function mailbox(kind: Kind) {
  const dovecot = servers.get(kind) as Dovecot;
  const user = newUser('writer');
  await dovecot.deliver(
    user,
    'INBOX',
    [1, 2, 3].map((number) => message({ subject: `Number ${number}` })),
  );
  const made = await asker(dovecot, user);
  await made.ask('mailbox.create', { mailbox: 'Archive' });
  const uidValidity = await made.uidValidity();
  const subjects = async (name: string) => {
    const { messages } = await made.ask('message.list', { mailbox: name });
    return messages.map(({ envelope }) => envelope?.subject).reverse();
  };
  return { ...made, dovecot, user, subjects, folder: { mailbox: 'INBOX', uidValidity } };
}

/** What another mail client does to the same mail. */
async function elsewhere(dovecot: Dovecot, user: string, flagDeleted: string): Promise<void> {
  const other = await dovecot.client(user);
  await other.mailboxOpen('INBOX');
  await other.messageFlagsAdd(flagDeleted, ['\\Deleted'], { uid: true });
  await other.logout();
}

describe('message.flag', () => {
  it('adds, removes and sets flags and keywords, and answers what the server has then', async () => {
    const { ask, folder, close } = await mailbox('rich');
    const flag = (action: 'add' | 'remove' | 'set', flags: string[], uids = [1, 2]) =>
      ask('message.flag', { ...folder, uids, action, flags });
    expect(await flag('add', ['\\Seen', 'Work'])).toEqual({
      messages: [
        { uid: 1, flags: ['Work', '\\Seen'] },
        { uid: 2, flags: ['Work', '\\Seen'] },
      ],
      notFound: [],
    });
    expect((await flag('remove', ['work'])).messages[0]?.flags).toEqual(['\\Seen']);
    expect((await flag('set', ['\\Flagged', '$Label1'], [2])).messages[0]?.flags).toEqual(['$Label1', '\\Flagged']);
    expect((await flag('set', [], [2])).messages[0]?.flags).toEqual([]);
    await close();
  });

  it('names the uids that are not there', async () => {
    const { ask, folder, close } = await mailbox('rich');
    const answer = await ask('message.flag', { ...folder, uids: [9, 2, 9], action: 'add', flags: ['\\Seen'] });
    expect(answer).toEqual({ messages: [{ uid: 2, flags: ['\\Seen'] }], notFound: [9] });
    await close();
  });

  it('takes ten thousand uids in command lines that servers accept', async () => {
    const { ask, folder, close } = await mailbox('rich');
    const uids = Array.from({ length: 10_000 }, (_, index) => index * 2 + 1);
    const { messages, notFound } = await ask('message.flag', { ...folder, uids, action: 'add', flags: ['\\Seen'] });
    expect(messages.map(({ uid }) => uid)).toEqual([1, 3]);
    expect(notFound).toHaveLength(9_998);
    await close();
  });

  it.each([
    [{ action: 'add' as const, flags: [] }, 'flags'],
    [{ action: 'add' as const, flags: ['\\Recent'] }, 'flags'],
  ])('refuses %j', async (wrong, field) => {
    const { ask, folder, close } = await mailbox('rich');
    await expect(ask('message.flag', { ...folder, uids: [1], ...wrong })).rejects.toMatchObject({
      kind: 'INVALID_PARAMS',
      field,
      executed: 'no',
    });
    await close();
  });

  it('refuses another UIDVALIDITY before anything is changed', async () => {
    const { ask, folder, close } = await mailbox('rich');
    const stale = { ...folder, uidValidity: folder.uidValidity + 1 };
    const changes = [
      ask('message.flag', { ...stale, uids: [1], action: 'add', flags: ['\\Seen'] }),
      ask('message.copy', { ...stale, uids: [1], destination: 'Archive' }),
      ask('message.move', { ...stale, uids: [1], destination: 'Archive' }),
      ask('message.delete', { ...stale, uids: [1] }),
    ];
    for (const change of changes) await expect(change).rejects.toMatchObject({ kind: 'STATE_CHANGED', executed: 'no' });
    const { messages } = await ask('message.get', { ...folder, uids: [1] });
    expect(messages[0]?.flags).toEqual([]);
    await close();
  });
});

describe('message.copy', () => {
  it.each(all)('copies at a server %s', async (kind) => {
    const { ask, folder, subjects, close } = await mailbox(kind);
    const answer = await ask('message.copy', { ...folder, uids: [3, 1, 7], destination: 'Archive' });
    expect(answer).toMatchObject({ destination: 'Archive', notFound: [7] });
    if (kind === 'rich' || kind === 'without MOVE') {
      expect(answer.uids).toEqual([
        { source: 1, destination: 1 },
        { source: 3, destination: 2 },
      ]);
      expect(answer.destinationUidValidity).toBeGreaterThan(0);
    }
    expect(await subjects('Archive')).toEqual(['Number 1', 'Number 3']);
    expect(await subjects('INBOX')).toEqual(['Number 1', 'Number 2', 'Number 3']);
    await close();
  });

  it('copies within a folder', async () => {
    const { ask, folder, subjects, close } = await mailbox('rich');
    await ask('message.copy', { ...folder, uids: [1], destination: 'INBOX' });
    expect(await subjects('INBOX')).toEqual(['Number 1', 'Number 2', 'Number 3', 'Number 1']);
    await close();
  });

  it.each(['message.copy', 'message.move'] as const)('%s names a destination that is not there', async (method) => {
    const { ask, folder, subjects, close } = await mailbox('rich');
    await expect(ask(method, { ...folder, uids: [1], destination: 'Nowhere' })).rejects.toMatchObject({
      kind: 'NOT_FOUND',
      field: 'destination',
      executed: 'no',
    });
    expect(await subjects('INBOX')).toHaveLength(3);
    await close();
  });
});

describe('message.move', () => {
  it.each(['rich', 'without MOVE', 'without UIDPLUS'] as const)('moves at a server %s', async (kind) => {
    const { ask, folder, subjects, close } = await mailbox(kind);
    const answer = await ask('message.move', { ...folder, uids: [1, 2], destination: 'Archive' });
    expect(answer.notFound).toEqual([]);
    expect(await subjects('Archive')).toEqual(['Number 1', 'Number 2']);
    expect(await subjects('INBOX')).toEqual(['Number 3']);
    await close();
  });

  it.each(['without MOVE', 'rich'] as const)('leaves what others flagged as deleted, at a server %s', async (kind) => {
    const { ask, folder, subjects, dovecot, user, close } = await mailbox(kind);
    await elsewhere(dovecot, user, '3');
    await ask('message.move', { ...folder, uids: [1], destination: 'Archive' });
    expect(await subjects('INBOX')).toEqual(['Number 2', 'Number 3']);
    await close();
  });

  it('is refused where it could not be done without expunging the mail of others', async () => {
    const { ask, folder, subjects, close } = await mailbox('without either');
    await expect(ask('message.move', { ...folder, uids: [1], destination: 'Archive' })).rejects.toMatchObject({
      kind: 'IMAP_NO',
      executed: 'no',
    });
    expect(await subjects('Archive')).toEqual([]);
    expect(await subjects('INBOX')).toHaveLength(3);
    await close();
  });

  it('refuses to move to where the messages are', async () => {
    const { ask, folder, close } = await mailbox('rich');
    for (const destination of ['INBOX', 'inbox']) {
      await expect(ask('message.move', { ...folder, uids: [1], destination })).rejects.toMatchObject({
        kind: 'INVALID_PARAMS',
        field: 'destination',
      });
    }
    await close();
  });
});

describe('message.delete', () => {
  it.each(['rich', 'without MOVE'] as const)(
    "deletes these and never another client's, at a server %s",
    async (kind) => {
      const { ask, folder, subjects, dovecot, user, close } = await mailbox(kind);
      await elsewhere(dovecot, user, '3');
      expect(await ask('message.delete', { ...folder, uids: [1, 8] })).toEqual({ deleted: [1], notFound: [8] });
      expect(await subjects('INBOX')).toEqual(['Number 2', 'Number 3']);
      await close();
    },
  );

  it('is refused without UIDPLUS, and nothing is flagged then', async () => {
    const { ask, folder, close } = await mailbox('without UIDPLUS');
    await expect(ask('message.delete', { ...folder, uids: [1] })).rejects.toMatchObject({
      kind: 'IMAP_NO',
      executed: 'no',
    });
    const { messages } = await ask('message.get', { ...folder, uids: [1] });
    expect(messages[0]?.flags).toEqual([]);
    await close();
  });
});
