import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Idempotency, type IdempotencyLimits } from '../../src/methods/support/idempotency.js';
import { restoreOutcomes, saveOutcomes } from '../../src/methods/support/outcomes-file.js';
import { BrokerError, type Executed } from '../../src/protocol/errors.js';
import { KeyRing } from '../../src/session/key-ring.js';

/** Remembers keys of two accounts, and counts how often the work of each was done. */
function remembering(limits: Partial<IdempotencyLimits> = {}) {
  const idempotency = new Idempotency(limits);
  const done: string[] = [];
  const ask = (key: string, { account = 'alice', params = 'same', work = async () => key as unknown } = {}) =>
    idempotency.once(account, key, params, new AbortController().signal, () => {
      done.push(key);
      return work();
    });
  return { idempotency, done, ask };
}

const failing = (executed: Executed) => async () => {
  throw new BrokerError('CONNECTION_LOST', 'lost', { executed });
};

/** Work that ends when the test says so. */
function pending() {
  let end: (value: unknown) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const outcome = new Promise<unknown>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { work: () => outcome, end, fail };
}

describe('an idempotency key', () => {
  it('has the work done once, and gives everybody the outcome, also those who ask while it is under way', async () => {
    const { ask, done } = remembering();
    const { work, end } = pending();
    const answers = [ask('k', { work }), ask('k')];
    end('stored');
    answers.push(ask('k'));
    expect(await Promise.all([...answers, ask('k')])).toEqual(Array(4).fill('stored'));
    expect(done).toEqual(['k']);
  });

  it('is refused with other parameters, while it is under way and afterwards', async () => {
    const { ask, done } = remembering();
    const { work, end } = pending();
    const first = ask('k', { work });
    const refused = { kind: 'IDEMPOTENCY_MISMATCH', executed: 'no', field: 'idempotencyKey' };
    await expect(ask('k', { params: 'other' })).rejects.toMatchObject(refused);
    end('stored');
    await first;
    await expect(ask('k', { params: 'other' })).rejects.toMatchObject(refused);
    expect(done).toHaveLength(1);
  });

  it('is of one account alone', async () => {
    const { ask, done } = remembering();
    await Promise.all([ask('k'), ask('k', { account: 'bob', params: 'other' })]);
    expect(done).toHaveLength(2);
  });

  it('of a request that failed without an effect can be used again, by those who waited for it as well', async () => {
    const { ask, done } = remembering();
    const { work, fail } = pending();
    const first = ask('k', { work });
    const second = ask('k');
    fail(new BrokerError('CANCELLED', 'enough'));
    await expect(first).rejects.toMatchObject({ kind: 'CANCELLED' });
    expect(await second).toBe('k');
    expect(done).toHaveLength(2);
  });

  it.each([failing('maybe'), failing('yes'), () => Promise.reject(new TypeError('x is undefined'))])(
    'of a request that may have had an effect keeps its error',
    async (work) => {
      const { ask, done } = remembering();
      const first = await ask('k', { work }).catch((error: unknown) => error);
      await expect(ask('k')).rejects.toBe(first);
      expect(done).toHaveLength(1);
    },
  );

  it('is forgotten 15 minutes after its outcome', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { ask, done } = remembering();
    await ask('k');
    vi.advanceTimersByTime(15 * 60_000 - 1);
    await ask('k');
    expect(done).toHaveLength(1);
    vi.advanceTimersByTime(1);
    await ask('k');
    expect(done).toHaveLength(2);
  });

  it('is forgotten with its account, but not while its work is under way', async () => {
    const { idempotency, ask, done } = remembering();
    const { work, end } = pending();
    const running = ask('running', { work });
    await ask('done');
    await ask('done', { account: 'bob' });
    idempotency.endAccount('alice');
    expect(idempotency.size).toBe(2);
    const joined = ask('running');
    end('stored');
    expect(await Promise.all([running, joined])).toEqual(['stored', 'stored']);
    expect(idempotency.size).toBe(1);
    expect(done).toEqual(['running', 'done', 'done']);
  });
});

describe('what a process leaves of idempotency keys to the next one', () => {
  it('is their outcomes, errors too, for the rest of their time', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const before = remembering();
    await before.ask('old');
    vi.advanceTimersByTime(10 * 60_000);
    const failed = await before.ask('failed', { work: failing('maybe') }).catch((error: unknown) => error);
    await before.ask('none', { work: failing('no') }).catch(() => {});
    await before.ask('ok', { work: async () => ({ uid: 7 }) });
    const { idempotency, ask, done } = remembering();
    idempotency.restore(JSON.parse(JSON.stringify(before.idempotency.outcomes)));
    expect(idempotency.size).toBe(3);
    expect(await ask('ok')).toEqual({ uid: 7 });
    expect(await ask('old')).toBe('old');
    await expect(ask('failed')).rejects.toEqual(failed);
    await expect(ask('ok', { params: 'other' })).rejects.toMatchObject({ kind: 'IDEMPOTENCY_MISMATCH' });
    expect(done).toEqual([]);
    vi.advanceTimersByTime(5 * 60_000);
    await ask('old');
    await ask('ok');
    expect(done).toEqual(['old']);
  });

  it('is sealed in a file, and nothing where that is missing, spoilt or sealed with another key', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-outcomes-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'outcomes.sealed');
    const keys = KeyRing.ephemeral();
    const before = remembering();
    await before.ask('k');
    await saveOutcomes(path, keys, before.idempotency);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const restored = async (ring: KeyRing) => {
      const { idempotency } = remembering();
      await restoreOutcomes(path, ring, idempotency);
      return idempotency.size;
    };
    expect(await restored(keys)).toBe(1);
    expect(await restored(KeyRing.ephemeral())).toBe(0);
    writeFileSync(path, 'rubbish');
    expect(await restored(keys)).toBe(0);
    rmSync(path);
    expect(await restored(keys)).toBe(0);
  });

  it('is bounded as what the next one remembers itself', async () => {
    const before = remembering();
    for (const key of ['a', 'b', 'c']) await before.ask(key);
    const { idempotency, ask, done } = remembering({ keys: 2 });
    idempotency.restore(before.idempotency.outcomes);
    expect(idempotency.size).toBe(2);
    for (const key of ['b', 'c']) await ask(key);
    expect(done).toEqual([]);
  });
});

describe('what is remembered of idempotency keys', () => {
  it.each([{ keysPerAccount: 2 }, { keys: 2 }, { characters: 10 }])('is bounded: %j', async (limits) => {
    const { idempotency, ask, done } = remembering(limits);
    const work = async () => 'abc';
    for (const key of ['a', 'b', 'c']) await ask(key, { work });
    expect(idempotency.size).toBe(2);
    await ask('c');
    await ask('a');
    expect(done).toEqual(['a', 'b', 'c', 'a']);
  });

  it.each([{ keysPerAccount: 1 }, { keys: 1 }])('makes no room for more than can be under way: %j', async (limits) => {
    const { ask } = remembering(limits);
    const { work, end } = pending();
    const first = ask('a', { work });
    await expect(ask('b')).rejects.toMatchObject({ kind: 'RATE_LIMITED', retryAfterMs: 1000 });
    end('done');
    await first;
    expect(await ask('b')).toBe('b');
  });

  it('does not hold a result that is larger than all of them may be', async () => {
    const { idempotency, ask } = remembering({ characters: 10 });
    await ask('a', { work: async () => 'x'.repeat(20) });
    expect(idempotency.size).toBe(0);
  });
});
