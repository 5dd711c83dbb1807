import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import type { Job } from '../../src/pool/job.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { Registry } from '../../src/pool/registry.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { waitFor } from '../support/wait-for.js';

let dovecot: Dovecot;
let registry: Registry;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());
afterEach(() => registry.closeAll(1000));

const job = (): Job => ({
  label: 'test',
  effect: 'read',
  signal: new AbortController().signal,
  deadlineAt: Date.now() + 10_000,
});

const proven = (user = newUser()): Promise<Account> =>
  registry.prove({ tenant: 't', server: dovecot.server(), user }, { user, password: PASSWORD }, job());

/** Keeps a connection of the account busy until the answered function is called. */
async function occupy(account: Account): Promise<() => Promise<void>> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const running = account.run(job(), () => released);
  await waitFor(() => expect(account.stats.busy).toBe(1));
  return async () => {
    release();
    await running;
  };
}

describe('accounts under a cap that they share', () => {
  it('get the slot of another account as soon as that has no more work', async () => {
    registry = new Registry({ ...defaultPoolLimits, connections: 1 });
    const [first, second] = [await proven(), await proven()];
    await first.run(job(), (connection) => connection.noop());
    const release = await occupy(first);
    const waiting = second.run(job(), async () => 'served');
    expect(second.stats.waiting).toBe(1);
    await release();
    expect(await waiting).toBe('served');
  });

  it('are served although another account always has work of its own', async () => {
    registry = new Registry({ ...defaultPoolLimits, connections: 1 });
    const [busy, waiting] = [await proven(), await proven()];
    let running = true;
    const loop = async () => {
      while (running) await busy.run(job(), (connection) => connection.noop());
    };
    const loops = [loop(), loop(), loop()];
    await waitFor(() => expect(busy.stats.waiting).toBeGreaterThan(0));
    expect(await waiting.run(job(), async () => 'served')).toBe('served');
    running = false;
    await Promise.all(loops);
  });

  it('lose one idle connection, not all, to a storm of one user', async () => {
    registry = new Registry({ ...defaultPoolLimits, connections: 4, connectionsPerAccount: 1 });
    const others = [await proven(), await proven(), await proven(), await proven()];
    const stormy = await proven();
    expect(others.map(({ stats }) => stats.idle)).toEqual([0, 1, 1, 1]);
    await others[0]?.run(job(), async () => {});
    await Promise.all(Array.from({ length: 20 }, () => stormy.run(job(), async () => {})));
    const idle = others.reduce((sum, { stats }) => sum + stats.idle, 0);
    expect(idle).toBe(3);
    expect(registry.caps.total).toBe(4);
  });
});
