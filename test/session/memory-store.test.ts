import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemorySessionStore } from '../../src/session/memory-store.js';

const anna = { tenant: 'shop', server: 'main', user: 'anna', accountKey: 'anna' };
const expired = expect.objectContaining({ kind: 'SESSION_EXPIRED', field: 'session' });

let ended: string[];
let store: MemorySessionStore;
beforeEach(() => {
  vi.useFakeTimers();
  ended = [];
  store = new MemorySessionStore({ ttlMs: 10_000, sessions: 3 }, (key) => ended.push(key));
});
afterEach(() => {
  store.dispose();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('a session', () => {
  it('is found by its token, which is 256 random bits', () => {
    const { token, session } = store.open(anna);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(store.open(anna).token).not.toBe(token);
    expect(store.resolve('shop', token)).toBe(session);
    expect(session).toMatchObject({ user: 'anna', expiresAt: Date.now() + 10_000 });
  });

  it('is worth nothing to another tenant, who cannot close it either', () => {
    const { token } = store.open(anna);
    expect(() => store.resolve('other', token)).toThrow(expired);
    expect(() => store.close('other', token)).toThrow(expired);
    expect(store.resolve('shop', token).user).toBe('anna');
  });

  it('lasts while it is used, and ends without use', () => {
    const { token } = store.open(anna);
    for (let round = 0; round < 5; round += 1) {
      vi.advanceTimersByTime(9_000);
      store.resolve('shop', token);
    }
    vi.advanceTimersByTime(10_000);
    expect(() => store.resolve('shop', token)).toThrow(expired);
  });

  it('ends when it is closed', () => {
    const { token } = store.open(anna);
    store.close('shop', token);
    expect(() => store.resolve('shop', token)).toThrow(expired);
    expect(() => store.close('shop', token)).toThrow(expired);
  });
});

describe('the end of an account', () => {
  it('is told with its last session, closed or ended by itself', () => {
    const first = store.open(anna);
    store.open(anna);
    store.open({ ...anna, user: 'ben', accountKey: 'ben' });
    store.close('shop', first.token);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(13_000);
    expect(ended.sort()).toEqual(['anna', 'ben']);
  });
});

describe('a full store', () => {
  it('refuses with RATE_LIMITED until a session has ended', () => {
    const [first] = [store.open(anna), store.open(anna), store.open(anna)];
    expect(() => store.open(anna)).toThrow(expect.objectContaining({ kind: 'RATE_LIMITED', retryAfterMs: 60_000 }));
    store.close('shop', first.token);
    store.open(anna);
  });

  it('makes room of what has ended but was not swept yet', () => {
    const slow = new MemorySessionStore({ ttlMs: 400_000, sessions: 1 }, (key) => ended.push(key));
    slow.open(anna);
    vi.setSystemTime(Date.now() + 400_001);
    slow.open({ ...anna, accountKey: 'again' });
    expect(ended).toEqual(['anna']);
    slow.dispose();
  });
});
