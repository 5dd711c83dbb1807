import { expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import type { Leases } from '../../src/view/mailbox-reader.js';
import { Views } from '../../src/view/views.js';
import { stillConnection } from './kept-mail.js';

it('a holder that is called late leaves the view to the lease that answers by then', async () => {
  const reader = new Views().reader('a', 'Work');
  const { view } = reader;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const leased = stillConnection(3);
  const run = (async (_job, work) => {
    await begun;
    return work(leased, { extend: () => {}, wanted: new AbortController().signal });
  }) as Leases['run'];
  const answer = reader.read<number>(
    { run, slots: new NewestInSlot() },
    {
      key: 'count',
      maxAgeMs: 0,
      job: {
        label: 'test',
        effect: 'read',
        signal: new AbortController().signal,
        deadlineAt: Number.POSITIVE_INFINITY,
      },
      fromMemory: () => undefined,
      fetch: async () => view.members.exists,
    },
  );
  const late = new Proxy({} as ImapConnection, {
    get: (_target, name) => {
      throw new Error(`The late connection was asked for ${String(name)}.`);
    },
    set: () => {
      throw new Error('The late connection was used.');
    },
  });
  await reader.serve(late);
  begin();
  expect((await answer).value).toBe(3);
  expect(leased.isFollowedBy(view)).toBe(true);
});
