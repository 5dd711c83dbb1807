import { once } from 'node:events';
import { Server, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { BrokerOptions } from '../../src/broker/options.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { deterministicBytes, message } from '../support/mail.js';
import { AnsweredError, RawClient, runBroker } from '../support/running-broker.js';
import { Timers } from '../support/timers.js';
import { waitFor } from '../support/wait-for.js';

let dovecot: Dovecot;
let timers: Timers;
let broker: Awaited<ReturnType<typeof runBroker>>;
const clients: RawClient[] = [];
/** Connections that earlier files of this worker have left. */
let before: ReadonlySet<object>;

const options: Partial<BrokerOptions> = {
  checkResults: true,
  sockets: { closeAboveBytes: 1024 * 1024, pauseAboveBytes: 256 * 1024, frameBytes: 1024 * 1024 },
};

beforeEach(async () => {
  before = new Set(connections());
  dovecot = await Dovecot.start();
  timers = new Timers();
  broker = await runBroker(dovecot, options);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await broker.stop();
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
  timers.restore();
  expect(timers.running).toEqual([]);
  expect(connections().filter((one) => !before.has(one))).toEqual([]);
  await waitFor(async () => expect((await dovecot.who()).size).toBe(0));
  await dovecot.stop();
});

/** Connections and listeners of this process, but not the pipes to its children. */
function connections(): object[] {
  // Not process.getActiveResourcesInfo(), which has names alone.
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): object[] };
  return handles
    .call(process)
    .filter((one) => one instanceof Server || (one instanceof Socket && one.localPort !== undefined));
}

async function connect(): Promise<RawClient> {
  const client = await RawClient.open(broker.url);
  clients.push(client);
  return client;
}

async function visitor(mails = 3): Promise<{ client: RawClient; user: string; session: string; uidValidity: number }> {
  const user = newUser();
  const mail = Array.from({ length: mails }, (_, index) => message({ subject: `Number ${index + 1}` }));
  await dovecot.deliver(user, 'INBOX', mail);
  const client = await connect();
  const session = await client.login(user);
  const { uidValidity } = await client.call('message.list', { session, mailbox: 'INBOX' });
  return { client, user, session, uidValidity };
}

const idle = () =>
  [...broker.registry.stats.values()].every(({ busy, waiting, connecting }) => busy + waiting + connecting === 0);

describe('the broker survives', () => {
  it('a Dovecot that is killed and started again in mid-use: each request has its answer, the session goes on', async () => {
    const { client, session, uidValidity } = await visitor();
    const folder = { session, mailbox: 'INBOX', uidValidity };
    const storm = Array.from({ length: 60 }, (_, index) => {
      if (index % 3 === 0) return client.request('message.list', { session, mailbox: 'INBOX' }).answer;
      const flags = [`k${index}`];
      if (index % 3 === 1) return client.request('message.flag', { ...folder, uids: [1], action: 'add', flags }).answer;
      return client.request('message.get', { ...folder, uids: [2] }).answer;
    });
    await storm[0];
    await dovecot.kill();
    const outcomes = await Promise.allSettled(storm);
    const errors = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as AnsweredError] : []));
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(error).toBeInstanceOf(AnsweredError);
      expect(['CONNECTION_LOST', 'UPSTREAM_UNAVAILABLE']).toContain(error.data.kind);
    }
    await waitFor(() => expect(idle()).toBe(true));
    await dovecot.run();
    expect((await client.call('message.list', { session, mailbox: 'INBOX' })).messages).toHaveLength(3);
    // What was answered as done was done; what was refused as not executed was not.
    const { messages } = await client.call('message.get', { ...folder, uids: [1] });
    for (const [index, outcome] of outcomes.entries()) {
      if (index % 3 !== 1) continue;
      if (outcome.status === 'fulfilled') expect(messages[0]?.flags).toContain(`k${index}`);
      else if ((outcome.reason as AnsweredError).data.executed === 'no') {
        expect(messages[0]?.flags).not.toContain(`k${index}`);
      }
    }
  }, 60_000);

  it('a socket that is dropped with requests in flight: their connections are free again', async () => {
    const { client, session } = await visitor();
    const other = await connect();
    for (let count = 0; count < 40; count += 1) client.request('message.list', { session, mailbox: 'INBOX' });
    client.request('message.append', { session, mailbox: 'INBOX', stream: 1, size: 1_000_000 });
    await waitFor(() => expect(idle()).toBe(false), 1);
    client.ws.terminate();
    expect((await other.call('message.list', { session, mailbox: 'INBOX' })).messages).toHaveLength(3);
    await waitFor(() => expect(idle()).toBe(true));
  });

  it('a client that never reads: it is closed, and others notice nothing', async () => {
    const { session } = await visitor(50);
    const deaf = await connect();
    const other = await connect();
    deaf.ws.pause();
    let gone = false;
    void once(deaf.ws, 'close').then(() => {
      gone = true;
    });
    // Its own writes tell it in the end that its reader is gone.
    while (!gone) {
      for (let count = 0; count < 50; count += 1) deaf.request('rpc.discover', {});
      expect((await other.call('message.list', { session, mailbox: 'INBOX' })).messages).toHaveLength(50);
    }
    await waitFor(() => expect(idle()).toBe(true));
  }, 60_000);

  it('a frame over its limit, which closes that socket with 1009 alone', async () => {
    const { client, session } = await visitor();
    const rude = await connect();
    const closed = once(rude.ws, 'close');
    rude.ws.send(deterministicBytes(1024 * 1024 + 1));
    expect((await closed)[0]).toBe(1009);
    expect((await client.call('message.list', { session, mailbox: 'INBOX' })).messages).toHaveLength(3);
    expect(rude.ws.readyState).toBe(WebSocket.CLOSED);
  });

  it('a server that ends connections while they are idle', async () => {
    const { client, user, session } = await visitor();
    for (let round = 0; round < 5; round += 1) {
      await dovecot.kick(user);
      await waitFor(async () => expect((await dovecot.who()).get(user)).toBeUndefined());
      expect((await client.call('message.list', { session, mailbox: 'INBOX' })).messages).toHaveLength(3);
    }
  });

  it('a mail folder that is deleted while it is selected', async () => {
    const { client, user, session } = await visitor();
    const [uid] = await dovecot.deliver(user, 'Gone', message({ subject: 'Away' }));
    const { uidValidity } = await client.call('message.list', { session, mailbox: 'Gone' });
    const other = await dovecot.client(user);
    await other.mailboxDelete('Gone');
    await other.logout();
    const folder = { session, mailbox: 'Gone', uidValidity, uids: [uid ?? 0] };
    await expect(client.call('message.get', folder)).rejects.toMatchObject({ data: { kind: 'NOT_FOUND' } });
    expect((await client.call('message.list', { session, mailbox: 'INBOX' })).messages).toHaveLength(3);
  });
});
