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
    turnBudget.defer(() => order.push('deferred'));
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        order.push('this turn');
        setImmediate(() => {
          order.push('next turn');
          resolve();
        });
      });
    });
    expect(order).toEqual(['this turn', 'deferred', 'next turn']);
  });

  it('leaves many turns to others after a turn that took very long', async () => {
    let turns = 0;
    let done = false;
    await timer(1);
    spend(40);
    turnBudget.defer(() => {
      done = true;
    });
    for (; !done; turns += 1) await new Promise(setImmediate);
    expect(turns).toBeGreaterThan(20);
  });

  it('is done though each turn of the event loop is spent', async () => {
    let done = 0;
    for (let turn = 0; turn < 8; turn += 1) {
      spend();
      if (turn < 4) turnBudget.defer(() => (done += 1));
      await new Promise(setImmediate);
    }
    expect(done).toBeGreaterThanOrEqual(3);
  });
});
