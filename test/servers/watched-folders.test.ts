import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guest, type ServedMail, serve, serverNames } from './mail-server.js';

const TIMES = 10;

/** What another client does, the n-th time, in a folder that began with {@link TIMES} messages. */
const changes: [what: string, happen: (guest: Guest, folder: string, time: number) => Promise<void>][] = [
  ['stores a message', ({ append }, folder) => append(folder)],
  ['sets a flag', ({ change }, folder, time) => change(folder, `UID STORE ${time} +FLAGS.SILENT (\\Flagged)`)],
  [
    'expunges a message',
    ({ change }, folder, time) => change(folder, `UID STORE ${time} +FLAGS.SILENT (\\Deleted)`, `UID EXPUNGE ${time}`),
  ],
];

describe.each(serverNames)('on %s, while the broker idles on a folder and another client', (name) => {
  let mail: ServedMail;
  beforeAll(async () => {
    mail = await serve(name);
  });
  afterAll(() => mail.stop());

  it.each(changes)('%s, whoever asks then sees it', async (_what, happen) => {
    const guest = await mail.guest();
    const { ask, make, named } = guest;
    const mailbox = named('Watched');
    await make(mailbox, TIMES);
    await ask('watch.start', { mailboxes: [mailbox] });
    const shown = async () => {
      const { messages } = await ask('message.list', { mailbox, limit: 100, fields: ['flags'] });
      return JSON.stringify(messages);
    };
    let stale = 0;
    for (let time = 1; time <= TIMES; time += 1) {
      const before = await shown();
      expect(await mail.relay.untilIdle(mailbox, 10_000)).toBe(true);
      await happen(guest, mailbox, time);
      if ((await shown()) === before) stale += 1;
    }
    expect(stale, `stale of ${TIMES} answers`).toBe(0);
  });
});
