import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { RawClient, runBroker } from '../support/running-broker.js';

const USERS = 20;
const SOCKETS = 4;
const REQUESTS = 200;
const FOLDERS = ['INBOX', 'Work'];
const CAPS = { connectionsPerAccount: 2, connectionsPerServer: 15, connections: 15 };

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let clients: RawClient[];
beforeAll(async () => {
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot, { pool: CAPS });
  clients = await Promise.all(Array.from({ length: SOCKETS }, () => RawClient.open(broker.url)));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await broker.stop();
  await dovecot.stop();
});

interface Visitor {
  user: string;
  session: string;
  uidValidity: Record<string, number>;
}

async function visitor(index: number): Promise<Visitor> {
  const user = newUser('mixed');
  for (const folder of FOLDERS) {
    const mails = [1, 2, 3].map((number) => message({ subject: `${user} ${folder} ${number}`, text: `of ${user}` }));
    await dovecot.deliver(user, folder, mails);
  }
  const client = clients[index % SOCKETS] as RawClient;
  const session = await client.login(user);
  const { statuses } = await client.call('mailbox.status', { session, mailboxes: FOLDERS });
  const uidValidity = Object.fromEntries(statuses.map(({ mailbox, counts }) => [mailbox, counts?.uidValidity ?? 0]));
  return { user, session, uidValidity };
}

/** One of several requests, on whichever socket; fails unless the answer is about this user and folder. */
async function ask({ user, session, uidValidity }: Visitor, turn: number): Promise<void> {
  // Everybody asks everything, in every folder, over every socket.
  const round = Math.floor(turn / USERS);
  const client = clients[(turn + round) % SOCKETS] as RawClient;
  const mailbox = FOLDERS[round % 2] ?? '';
  const folder = { session, mailbox, uidValidity: uidValidity[mailbox] ?? 0 };
  const mine = new RegExp(`^${user} ${mailbox} \\d`);
  switch ((turn + round) % 5) {
    case 0: {
      const { messages } = await client.call('message.list', { session, mailbox });
      expect(messages.length).toBeGreaterThanOrEqual(3);
      for (const { envelope } of messages) expect(envelope?.subject).toMatch(mine);
      break;
    }
    case 1: {
      const { messages } = await client.call('message.get', { ...folder, uids: [2], headers: true });
      expect(messages[0]?.envelope.subject).toBe(`${user} ${mailbox} 2`);
      expect(messages[0]?.textBody?.[0]?.content?.trim()).toBe(`of ${user}`);
      break;
    }
    case 2: {
      const keyword = `k${turn}`;
      const flags = [keyword];
      const { messages } = await client.call('message.flag', { ...folder, uids: [1, 3], action: 'add', flags });
      expect(messages.map(({ uid }) => uid)).toEqual([1, 3]);
      for (const one of messages) expect(one.flags).toContain(keyword);
      break;
    }
    case 3: {
      const data = message({ subject: `${user} ${mailbox} 4 by turn ${turn}`, text: `of ${user}` }).toString('base64');
      const { uid } = await client.call('message.append', { session, mailbox, data });
      const { messages } = await client.call('message.get', { ...folder, uids: [uid ?? 0] });
      expect(messages[0]?.envelope.subject).toBe(`${user} ${mailbox} 4 by turn ${turn}`);
      break;
    }
    default: {
      const { messages } = await client.call('message.search', {
        session,
        mailboxes: [mailbox],
        filter: { subject: user },
      });
      expect(messages.map(({ uid }) => uid)).toEqual(expect.arrayContaining([1, 2, 3]));
    }
  }
}

/** Most connections that Dovecot counted, of one user and of all, until told to stop. */
function watchConnections() {
  const most = { ofOne: 0, ofAll: 0, looks: 0 };
  let running = true;
  const watching = (async () => {
    while (running) {
      const counts = [...(await dovecot.who()).values()];
      most.ofOne = Math.max(most.ofOne, ...counts);
      most.ofAll = Math.max(
        most.ofAll,
        counts.reduce((sum, count) => sum + count, 0),
      );
      most.looks += 1;
    }
  })();
  return async () => {
    running = false;
    await watching;
    return most;
  };
}

describe(`${REQUESTS} requests at once, of ${USERS} users over ${SOCKETS} sockets`, () => {
  it('are each answered with their own data, within the caps, and leave nobody logged in', async () => {
    const visitors = await Promise.all(Array.from({ length: USERS }, (_, index) => visitor(index)));
    await expect.poll(async () => (await dovecot.who()).size).toBeLessThanOrEqual(CAPS.connections);
    const stopWatching = watchConnections();
    const turns = Array.from({ length: REQUESTS }, (_, turn) => ask(visitors[turn % USERS] as Visitor, turn));
    const outcomes = await Promise.allSettled(turns);
    const most = await stopWatching();
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(most.looks).toBeGreaterThan(3);
    expect(most.ofOne).toBeLessThanOrEqual(CAPS.connectionsPerAccount);
    expect(most.ofAll).toBeLessThanOrEqual(CAPS.connections);
    // Both caps were reached: else they were not tried.
    expect(most.ofAll).toBeGreaterThan(CAPS.connections / 2);
    for (const [index, { session }] of visitors.entries()) {
      await (clients[index % SOCKETS] as RawClient).call('session.close', { session });
    }
    await expect.poll(async () => (await dovecot.who()).size).toBe(0);
    expect(broker.registry.stats.size).toBe(0);
    const log = await dovecot.log();
    expect(log.split('\n').filter((line) => /imap\(.*(?:Connection closed|BYE)/.test(line))).toEqual([]);
    expect(log.match(/Disconnected: Logged out/g)?.length).toBe(await dovecot.logins());
  }, 60_000);
});
