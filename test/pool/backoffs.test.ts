import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { LoginError } from '../../src/imap/login/login-error.js';
import type { LoginRefusal } from '../../src/imap/login/refusals.js';
import { Patience } from '../../src/pool/lease/patience.js';
import { Backoffs } from '../../src/pool/supply/backoffs.js';
import { LearnedLimit } from '../../src/pool/supply/learned-limit.js';
import { BrokerError } from '../../src/protocol/errors.js';

beforeEach(() => {
  vi.useFakeTimers();
  // No jitter.
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const refused = (refusal?: LoginRefusal) =>
  new LoginError('UPSTREAM_UNAVAILABLE', 'no', { stage: 'login', refusal, imap: { status: 'NO', text: 'not now' } });

/** A connection that lived for so long. */
const aged = (ms: number) => ({ createdAt: Date.now() - ms, server: { name: 'main' } }) as unknown as ImapConnection;

function backoffs() {
  const told: string[] = [];
  return { told, all: new Backoffs({ now: { stayMs: 5_000 } }, (key) => told.push(key)) };
}

/** Fails again and again as soon as that is possible; the pauses in milliseconds. */
function pausesOf(all: Backoffs, refusal: LoginRefusal, times: number): number[] {
  return Array.from({ length: times }, () => {
    all.failed('anna', refused(refusal));
    const ms = all.of('anna')?.error.retryAfterMs ?? 0;
    vi.advanceTimersByTime(ms);
    expect(all.of('anna')).toBeUndefined();
    return ms;
  });
}

describe('an account whose logins are refused', () => {
  it.each<[LoginRefusal, number[], number]>([
    ['throttled', [30_000, 60_000, 120_000], 900_000],
    ['account', [5_000, 10_000, 20_000], 300_000],
    ['server', [2_000, 4_000, 8_000], 60_000],
    ['connections', [2_000, 4_000, 8_000], 60_000],
  ])('backs off twice as long each time, up to a limit: %s', (refusal, first, most) => {
    const { all } = backoffs();
    const pauses = pausesOf(all, refusal, 12);
    expect(pauses.slice(0, 3)).toEqual(first);
    expect(pauses.at(-1)).toBe(most);
  });

  it('is told for how long, with the words of the server, and nobody else is', () => {
    const { all } = backoffs();
    expect(all.failed('anna', refused('account'))).toMatchObject({ retryAfterMs: 5_000, imap: { text: 'not now' } });
    vi.advanceTimersByTime(3_000);
    expect(all.of('anna')?.error).toMatchObject({ retryAfterMs: 2_000, imap: { text: 'not now' } });
    expect(all.of('bert')).toBeUndefined();
  });

  it('waits as long as the server asks for, and no longer for logins that failed together', () => {
    const { all } = backoffs();
    const throttled = new LoginError('UPSTREAM_UNAVAILABLE', 'no', {
      ...{ stage: 'login', refusal: 'throttled', retryAfterMs: 92_415 },
    });
    for (let count = 0; count < 3; count += 1) all.failed('anna', throttled);
    expect(all.of('anna')?.error.retryAfterMs).toBe(92_415);
  });

  it('waits for an hour at most, whatever the server asks for', () => {
    const { all } = backoffs();
    const options = { stage: 'login', refusal: 'throttled', retryAfterMs: 1e15 } as const;
    all.failed('anna', new LoginError('UPSTREAM_UNAVAILABLE', 'no', options));
    expect(all.of('anna')?.error.retryAfterMs).toBe(3_600_000);
  });

  it('begins anew after a login that succeeded, and when the server is another one', () => {
    const { all } = backoffs();
    pausesOf(all, 'account', 3);
    all.succeeded('anna');
    expect(pausesOf(all, 'account', 1)).toEqual([5_000]);
    all.failed('anna', refused('account'));
    all.forget((key) => key === 'anna');
    expect([all.of('anna'), all.size]).toEqual([undefined, 0]);
  });

  it('does not for wrong credentials, nor for a server that cannot be reached', () => {
    const { all } = backoffs();
    const others = [
      new LoginError('IMAP_AUTH_FAILED', 'no', { stage: 'login', refusal: 'credentials' }),
      new LoginError('UPSTREAM_UNAVAILABLE', 'away', { stage: 'connect' }),
      new BrokerError('CANCELLED', 'gone'),
    ];
    for (const error of others) expect(all.failed('anna', error)).toBe(error);
    expect([all.of('anna'), all.size]).toEqual([undefined, 0]);
  });

  it('is forgotten when it has not come back, and the oldest of very many', () => {
    const { all } = backoffs();
    for (let user = 0; user < 10_100; user += 1) all.failed(`user${user}`, refused('account'));
    expect(all.size).toBe(10_000);
    expect([all.of('user99'), all.of('user100')?.reason]).toEqual([undefined, 'account']);
    all.sweep();
    expect(all.size).toBe(10_000);
    vi.advanceTimersByTime(905_001);
    all.sweep();
    expect(all.size).toBe(0);
  });
});

describe('an account whose connections end soon after their logins', () => {
  it('backs off from the fourth on, for longer each time, which is told once', () => {
    const { all, told } = backoffs();
    for (let count = 0; count < 3; count += 1) all.ended('anna', aged(100));
    expect(all.of('anna')).toBeUndefined();
    const pauses = Array.from({ length: 8 }, () => {
      all.succeeded('anna');
      all.ended('anna', aged(100), new BrokerError('CONNECTION_LOST', 'lost', { imap: { status: 'BYE', text: 'no' } }));
      const { error } = all.of('anna') ?? {};
      expect(error).toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', imap: { text: 'no' } });
      vi.advanceTimersByTime(error?.retryAfterMs ?? 0);
      return error?.retryAfterMs;
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(told).toEqual(['anna']);
  });

  it('does not any more once one has stayed for a while', () => {
    const { all, told } = backoffs();
    for (let count = 0; count < 3; count += 1) all.ended('anna', aged(100));
    all.ended('anna', aged(5_000));
    for (let count = 0; count < 3; count += 1) all.ended('anna', aged(100));
    expect([all.of('anna'), told]).toEqual([undefined, []]);
  });

  it('backs off no longer for connections that ended together', () => {
    const { all } = backoffs();
    for (let count = 0; count < 10; count += 1) all.ended('anna', aged(100));
    expect(all.of('anna')?.error.retryAfterMs).toBe(1_000);
    vi.advanceTimersByTime(1_000);
    all.ended('anna', aged(100));
    expect(all.of('anna')?.error.retryAfterMs).toBe(2_000);
  });

  it('counts logins that were lost without an answer as such', () => {
    const { all } = backoffs();
    for (let count = 0; count < 4; count += 1) all.failed('anna', refused());
    expect(all.of('anna')).toMatchObject({ reason: 'ended', error: { retryAfterMs: 1_000 } });
  });
});

describe('a limit that was learned', () => {
  it('climbs by a share each time, by one at least, and is over in the end', () => {
    const limit = new LearnedLimit(60_000, 0.1);
    expect(limit.value).toBe(Number.POSITIVE_INFINITY);
    limit.refused(5);
    vi.advanceTimersByTime(59_999);
    expect(limit.value).toBe(5);
    vi.advanceTimersByTime(1);
    expect(limit.value).toBe(6);
    vi.advanceTimersByTime(120_000);
    expect(limit.value).toBe(8);
    limit.refused(50);
    vi.advanceTimersByTime(120_000);
    expect(limit.value).toBe(60);
    vi.advanceTimersByTime(24 * 3_600_000);
    expect(limit.value).toBe(Number.POSITIVE_INFINITY);
    limit.refused(0);
    expect(limit.value).toBe(1);
  });
});

describe('the patience with a silent connection', () => {
  it('grows only while connections that were made since are silent as well, and comes back', () => {
    const patience = new Patience();
    const old = aged(60_000);
    patience.gaveUp(old);
    patience.gaveUp(old);
    expect(patience.ms).toBe(2_000);
    for (const expected of [4_000, 8_000, 16_000, 30_000, 30_000]) {
      vi.advanceTimersByTime(1_000);
      patience.gaveUp(aged(500));
      expect(patience.ms).toBe(expected);
    }
    vi.advanceTimersByTime(300_001);
    expect(patience.ms).toBe(2_000);
  });
});
