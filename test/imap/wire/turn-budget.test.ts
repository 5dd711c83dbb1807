import { setTimeout as timer } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { turnBudget } from '../../../src/imap/wire/turn-budget.js';

/** Uses up the time of this turn of the event loop, and `ms` milliseconds at least. */
function spend(ms = 0): void {
  turnBudget.begin();
  const until = performance.now() + ms;
  while (!turnBudget.spent || performance.now() < until);
}

describe('deferred work', () => {
  it('is not done in a turn of the event loop whose time the sockets have spent', async () => {
    const order: string[] = [];
    await timer(1);
    spend();
    setImmediate(() => order.push('this turn'));
    await new Promise<void>((resolve) => {
      turnBudget.defer(() => {
        order.push('deferred');
        resolve();
      });
    });
    expect(order).toEqual(['this turn', 'deferred']);
  });

  it('leaves time to others after a turn that took very long', async () => {
    await timer(1);
    spend(40);
    const from = performance.now();
    await new Promise<void>((resolve) => turnBudget.defer(resolve));
    // A timer may fire up to a millisecond early.
    expect(performance.now() - from).toBeGreaterThan(38);
  });

  it('is done though each turn of the event loop is spent', async () => {
    let done = 0;
    for (let deferred = 0; deferred < 4; deferred += 1) turnBudget.defer(() => (done += 1));
    while (done < 4) {
      spend();
      await new Promise(setImmediate);
    }
    expect(done).toBe(4);
  });
});
