import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { Station } from '../../src/watch/station.js';
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
  const server = { idles: 0 };
  const connection = {
    has: () => true,
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
    isFollowedBy: () => true,
    usable: true,
    patienceMs: Number.POSITIVE_INFINITY,
  };
  return { server, connection: connection as unknown as ImapConnection };
}

it('ends its IDLE and begins it again at each heartbeat, and rests in between', async () => {
  const { server, connection } = idlingConnection();
  const reader = {
    view: { confirm: () => {} },
    setStation: () => {},
    leaveStation: () => {},
    moveTo: async () => true,
  };
  const proofs: number[] = [];
  const events = {
    onNews: () => {},
    onOther: () => {},
    onProof: () => proofs.push(server.idles),
    onLost: () => {},
    onRestless: () => {},
  };
  const station = new Station({ reader } as unknown as WatchedFolder, times, events);
  const attended = station.attend(connection, { wanted: new AbortController().signal, extend: () => {} });
  await vi.advanceTimersByTimeAsync(1);
  for (let beat = 1; beat <= 3; beat += 1) {
    expect(server.idles).toBe(beat);
    await vi.advanceTimersByTimeAsync(times.heartbeatMs);
  }
  expect(proofs).toEqual([1, 2, 3]);
  station.end();
  await attended;
});
