import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SharedKeys } from '../../src/shared/keys.js';
import { Redis } from '../../src/shared/redis.js';
import { RedisServer } from '../support/redis.js';

const plain = {
  seal: async (text: string) => `sealed ${text}`,
  unseal: async (text: string) => text.replace(/^sealed /, ''),
};
const done = (json: string) => async () => ({ json, counts: true });
const never = new AbortController().signal;

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

/** One of several brokers, with its own connection. */
async function broker(leaseMs = 300) {
  const redis = new Redis({ url: server.url });
  onTestFinished(() => redis.close());
  redis.open();
  await expect.poll(() => redis.up).toBe(true);
  return { redis, keys: new SharedKeys(redis, plain, leaseMs) };
}

let names = 0;
function name(): string {
  names += 1;
  return `key${names}`;
}

describe('a key that several brokers know', () => {
  it('has its work done once, and gives the outcome to all', async () => {
    const [one, other] = [await broker(), await broker()];
    const key = name();
    let works = 0;
    const work = async () => {
      works += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { json: `${works}`, counts: true };
    };
    const outcomes = await Promise.all([one.keys.once('a', key, never, work), other.keys.once('a', key, never, work)]);
    expect(works).toBe(1);
    expect(outcomes.sort()).toEqual(['1', undefined]);
    expect(await other.keys.once('a', key, never, work)).toBe('1');
    // Another account's key of the same name is another key.
    expect(await other.keys.once('b', key, never, done('b'))).toBeUndefined();
  });

  it('may be used again where the work had no effect', async () => {
    const [one, other] = [await broker(), await broker()];
    const key = name();
    await one.keys.once('a', key, never, async () => ({ json: 'no', counts: false }));
    expect(await other.keys.once('a', key, never, done('yes'))).toBeUndefined();
    expect(await one.keys.once('a', key, never, done('never'))).toBe('yes');
  });

  it('is held for as long as the work takes', async () => {
    const [one, other] = [await broker(200), await broker(200)];
    const key = name();
    const long = one.keys.once('a', key, never, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return { json: 'long', counts: true };
    });
    expect(await other.keys.once('a', key, never, done('never'))).toBe('long');
    await long;
  });

  it('is taken over from a broker that is gone, whose work may be done in part; what it leaves afterwards does not count', async () => {
    const [gone, next] = [await broker(), await broker()];
    const key = name();
    let end: () => void = () => {};
    const hanging = new Promise<void>((resolve) => {
      end = resolve;
    });
    const stopped = gone.keys.once('a', key, never, async () => {
      gone.redis.close();
      await hanging;
      return { json: 'late', counts: true };
    });
    const told: boolean[] = [];
    const takeOver = async (takenOver: boolean) => {
      told.push(takenOver);
      return { json: 'taken over', counts: true };
    };
    expect(await next.keys.once('a', key, never, takeOver)).toBeUndefined();
    expect(told).toEqual([true]);
    end();
    await stopped;
    expect(await next.keys.once('a', key, never, done('never'))).toBe('taken over');
  });

  it('is not done again by a broker that cannot read the outcome', async () => {
    const [one, other] = [await broker(), await broker()];
    const key = name();
    await one.keys.once('a', key, never, done('x'));
    const stranger = new SharedKeys(other.redis, { ...plain, unseal: async () => undefined });
    await expect(stranger.once('a', key, never, done('never'))).rejects.toMatchObject({
      kind: 'CONNECTION_LOST',
      executed: 'maybe',
    });
  });

  it('is not waited for by a request that has ended', async () => {
    const [one, other] = [await broker(), await broker()];
    const key = name();
    let end: () => void = () => {};
    const hanging = new Promise<void>((resolve) => {
      end = resolve;
    });
    const running = one.keys.once('a', key, never, () => hanging.then(done('x')));
    const controller = new AbortController();
    const waiting = other.keys.once('a', key, controller.signal, done('never'));
    setTimeout(() => controller.abort(new Error('over')), 50);
    await expect(waiting).rejects.toThrow('over');
    end();
    await running;
  });
});
