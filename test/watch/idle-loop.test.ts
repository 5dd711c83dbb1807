import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { IdleLoop } from '../../src/watch/idle-loop.js';
import type { WatchedFolder } from '../../src/watch/watched-folder.js';

const times = { heartbeatMs: 120_000, pollMs: 30_000, quietMs: 500, retryMs: 500, stayMs: 30_000 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A connection whose server takes every IDLE and ends it when told to; counts them. */
function idlingConnection() {
  let done = () => {};
  const server = { idles: 0, isFollowed: true };
  const connection = {
    has: (capability: string) => capability !== 'NOTIFY',
    exec: async (
      _effect: string,
      _name: string,
      _args: unknown,
      _untagged: unknown,
      { onContinue }: { onContinue(): void },
    ) => {
      server.idles += 1;
      onContinue();
      // Else one that begins again and again would never let the test have its turn.
      if (server.idles > 10) await new Promise(() => {});
      await new Promise<void>((resolve) => {
        done = resolve;
      });
    },
    behindIdle: (begin: () => unknown) => {
      done();
      return begin();
    },
    refresh: async () => true,
    onClose: () => () => {},
    isFollowedBy: () => server.isFollowed,
    usable: true,
    patienceMs: Number.POSITIVE_INFINITY,
  };
  return { server, connection: connection as unknown as ImapConnection };
}

/** An idle loop that attends such a connection, with what it is proven by: how many IDLEs there were then. */
function attending({ isFollowed = true } = {}) {
  const { server, connection } = idlingConnection();
  server.isFollowed = isFollowed;
  const reader = {
    view: { confirm: () => {} },
    setHolder: () => {},
    removeHolder: () => {},
    moveTo: async () => {
      server.isFollowed = true;
      return true;
    },
  };
  const proofs: number[] = [];
  const events = {
    onNews: () => {},
    onOther: () => {},
    onListed: () => {},
    onProof: () => proofs.push(server.idles),
    onLost: () => {},
    onRestless: () => {},
  };
  const idleLoop = new IdleLoop({ reader } as unknown as WatchedFolder, times, events);
  const attended = idleLoop.run(connection, { wanted: new AbortController().signal, extend: () => {} });
  return { server, idleLoop, proofs, attended };
}

it('ends its IDLE and begins it again at each heartbeat, and rests in between', async () => {
  const { server, idleLoop, proofs, attended } = attending();
  await vi.advanceTimersByTimeAsync(1);
  for (let beat = 1; beat <= 3; beat += 1) {
    expect(server.idles).toBe(beat);
    await vi.advanceTimersByTimeAsync(times.heartbeatMs);
  }
  expect(proofs).toEqual([1, 2, 3]);
  idleLoop.end();
  await attended;
});

it('is proven when it has opened the folder, not as late as at the end of its first IDLE', async () => {
  const { server, idleLoop, proofs, attended } = attending({ isFollowed: false });
  await vi.advanceTimersByTimeAsync(1);
  expect([server.idles, proofs]).toEqual([1, [0]]);
  idleLoop.end();
  await attended;
});

it('idles on where the other folders that are watched stay the same, and begins anew where they do not', async () => {
  const { server, idleLoop, attended } = attending();
  const idlesWith = async (others: string[]) => {
    idleLoop.others = { mailboxes: others, folders: false };
    await vi.advanceTimersByTimeAsync(1_000);
    return server.idles;
  };
  const before = await idlesWith(['Sent']);
  expect(await idlesWith(['Sent'])).toBe(before);
  expect(await idlesWith(['Sent', 'Trash'])).toBe(before + 1);
  expect(await idlesWith([])).toBe(before + 2);
  idleLoop.end();
  await attended;
});

it('answers on its next connection nothing that it was asked on the last, which a lease answers by then', async () => {
  let holder: { call(): void } | undefined;
  const serve = vi.fn(async () => {});
  const reader = {
    view: { confirm: () => {} },
    setHolder: (next: { call(): void }) => {
      holder = next;
    },
    removeHolder: () => {},
    moveTo: async () => true,
    serve,
  };
  const nothing = () => {};
  const events = {
    onNews: nothing,
    onOther: nothing,
    onListed: nothing,
    onProof: nothing,
    onLost: nothing,
    onRestless: nothing,
  };
  const idleLoop = new IdleLoop({ reader } as unknown as WatchedFolder, times, events);
  const wanted = new AbortController();
  const first = idleLoop.run(idlingConnection().connection, { wanted: wanted.signal, extend: nothing });
  await vi.advanceTimersByTimeAsync(1);
  holder?.call();
  wanted.abort();
  await first;
  serve.mockClear();
  const second = idleLoop.run(idlingConnection().connection, {
    wanted: new AbortController().signal,
    extend: nothing,
  });
  await vi.advanceTimersByTimeAsync(1);
  expect(serve).not.toHaveBeenCalled();
  idleLoop.end();
  await second;
});
