import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guest, type ServedMail, serve, serverNames } from './mail-server.js';

/** What other clients do to a folder of two messages; and how many there are under its name then. */
const changes: [what: string, left: number | undefined, happen: (folder: string, guest: Guest) => Promise<void>][] = [
  ['was deleted', undefined, (folder, { other }) => other(`DELETE "${folder}"`)],
  ['was renamed', undefined, (folder, { other, named }) => other(`RENAME "${folder}" "${named('Away')}"`)],
  [
    'was deleted and made again',
    1,
    async (folder, { other, make }) => {
      await other(`DELETE "${folder}"`);
      await make(folder, 1);
    },
  ],
  [
    'gave its name to another one',
    3,
    async (folder, { other, make, named }) => {
      await nextSecond();
      await make(named('Other'), 3);
      await other(`RENAME "${folder}" "${named('Away')}"`, `RENAME "${named('Other')}" "${folder}"`);
    },
  ],
];

/** Cyrus takes the second in which a folder is made for its UIDVALIDITY. */
async function nextSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000) + 10));
}

describe.each(serverNames)('on %s', (name) => {
  let mail: ServedMail;
  beforeAll(async () => {
    mail = await serve(name);
  });
  afterAll(() => mail.stop());

  describe.each(changes)('a folder that %s while the broker had it selected', (_what, left, happen) => {
    /** A guest who has just read the folder before that happened to it. */
    async function reader() {
      const guest = await mail.guest();
      const mailbox = guest.named('Read');
      await guest.make(mailbox, 2);
      const before = await guest.ask('message.list', { mailbox });
      expect(before.total).toBe(2);
      await happen(mailbox, guest);
      return { ...guest, mailbox, before };
    }

    it.concurrent('is what is there now, for message.list', async () => {
      const { ask, kindOf, mailbox, before } = await reader();
      if (left === undefined) {
        expect(await kindOf('message.list', { mailbox })).toBe('NOT_FOUND');
        return;
      }
      const { total, uidValidity, messages } = await ask('message.list', { mailbox });
      expect({ total, rows: messages.length }).toEqual({ total: left, rows: left });
      expect(uidValidity).not.toBe(before.uidValidity);
    });

    it.concurrent('is what is there now, for message.search', async () => {
      const { ask, kindOf, mailbox } = await reader();
      if (left === undefined) expect(await kindOf('message.search', { mailboxes: [mailbox] })).toBe('NOT_FOUND');
      else expect((await ask('message.search', { mailboxes: [mailbox] })).total).toBe(left);
    });

    it.concurrent('is what is there now, for mailbox.changes', async () => {
      const { ask, kindOf, mailbox, before } = await reader();
      const since = before.state ?? '';
      if (left === undefined) expect(await kindOf('mailbox.changes', { mailbox, since })).toBe('NOT_FOUND');
      else expect(await ask('mailbox.changes', { mailbox, since })).toMatchObject({ complete: false, total: left });
    });

    it.concurrent('is what is there now, for mailbox.status', async () => {
      const { ask, mailbox } = await reader();
      const { statuses } = await ask('mailbox.status', { mailboxes: [mailbox] });
      expect(statuses[0]?.counts?.messages).toBe(left);
    });

    it.concurrent('takes its new UIDVALIDITY, and no more the old one', async () => {
      const { ask, kindOf, mailbox, before } = await reader();
      const { statuses } = await ask('mailbox.status', { mailboxes: [mailbox] });
      const uidValidity = statuses[0]?.counts?.uidValidity;
      const old = { mailbox, uidValidity: before.uidValidity, uids: [1] };
      if (uidValidity === undefined) {
        expect(await kindOf('message.get', old)).toBe('NOT_FOUND');
        return;
      }
      expect(await kindOf('message.get', { mailbox, uidValidity, uids: [1] })).toBe('ok');
      expect(await kindOf('message.get', old)).toBe('STATE_CHANGED');
      expect(await kindOf('message.flag', { ...old, action: 'add', flags: ['\\Seen'] })).toBe('STATE_CHANGED');
    });
  });

  it('a watch tells of mail in a folder that was deleted and made again', async () => {
    const { ask, client, make, other, append, named } = await mail.guest();
    const mailbox = named('Watched');
    await make(mailbox, 1);
    await ask('watch.start', { mailboxes: [mailbox] });
    expect(await mail.relay.untilIdle(mailbox, 10_000)).toBe(true);
    await other(`DELETE "${mailbox}"`);
    await make(mailbox);
    await append(mailbox, 3);
    const told = () => client.notifications.filter(({ method }) => method === 'event').map(({ params }) => params);
    // A reset without a UIDVALIDITY tells that the folder is gone: what comes before it is back needs no event of its own.
    const back = expect.objectContaining({ type: 'reset', uidValidity: expect.any(Number) });
    await expect.poll(told).toContainEqual(back);
    await append(mailbox, 4);
    await expect.poll(told).toContainEqual(expect.objectContaining({ type: 'new' }));
  });
});
