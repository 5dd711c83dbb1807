import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import { accountKey } from '../../src/runtime/account-key.js';
import type { Leases } from '../../src/view/mailbox-reader.js';
import { Views } from '../../src/view/views.js';
import { Dovecot } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { startRelay } from '../support/relay.js';
import { RawClient, runBroker } from '../support/running-broker.js';
import { upstream } from '../support/upstream.js';
import { stillConnection } from './kept-mail.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

/** A user of one connection, behind a network that can be held up. */
async function clicking() {
  const relay = await startRelay(dovecot.plainPort);
  const broker = await runBroker(dovecot, {
    servers: [upstream('dovecot', relay.port, { tls: 'none' })],
    pool: { connectionsPerAccount: 1 },
  });
  const client = await RawClient.open(broker.url);
  onTestFinished(async () => {
    await client.close();
    await broker.stop();
    await relay.close();
  });
  const user = dovecot.user();
  await dovecot.deliver(user, 'INBOX', message());
  const session = await client.login(user);
  await client.call('mailbox.create', { session, mailbox: 'Other' });
  const key = accountKey({ tenant: 'webmail', server: { name: 'dovecot' }, user });
  return {
    relay,
    stats: () => broker.registry.get(key)?.stats,
    list: (mailbox: string) => client.request('message.list', { session, mailbox }),
    cancel: (id: number) => client.notify('$/cancelRequest', { id }),
  };
}

describe('a read that comes when all who had asked before have left', () => {
  it('in the same packet, while they waited for a connection, is answered', async () => {
    const { relay, stats, list, cancel } = await clicking();
    relay.freeze();
    const holding = list('Other');
    const left = list('INBOX');
    await expect.poll(stats).toMatchObject({ busy: 1, waiting: 1 });
    cancel(left.id);
    const next = list('INBOX');
    await expect(left.answer).rejects.toMatchObject({ data: { kind: 'CANCELLED' } });
    relay.thaw();
    await holding.answer;
    expect(await next.answer).toMatchObject({ total: 1 });
  });

  it('while their work is still going on, is answered when that is ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const views = new Views();
    const connection = stillConnection(0);
    const leases: Leases = {
      run: ({ signal }, work) =>
        Promise.race([
          work(connection, { extend: () => {}, wanted: new AbortController().signal }),
          once(signal, 'abort').then(() => Promise.reject(signal.reason)),
        ]),
      slots: new NewestInSlot(),
    };
    const read = (key: string, signal: AbortSignal, fetch: () => Promise<string>) =>
      views.reader('account', 'INBOX').read(leases, {
        key,
        maxAgeMs: 0,
        job: { label: 'test', effect: 'read', signal, deadlineAt: Number.POSITIVE_INFINITY },
        fromMemory: () => undefined,
        fetch,
      });
    const leaving = new AbortController();
    let left: Promise<unknown> | undefined;
    await new Promise<void>((begun) => {
      left = read('left', leaving.signal, () => {
        begun();
        return new Promise(() => {});
      });
    });
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    const next = read('next', new AbortController().signal, async () => 'answered');
    vi.advanceTimersByTime(2_000);
    expect(await next).toMatchObject({ value: 'answered' });
  });
});
