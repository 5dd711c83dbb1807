import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { RawClient, TOKEN } from '../support/running-broker.js';
import { startScriptedServer } from '../support/scripted-server.js';
import { waitFor } from '../support/wait-for.js';

const silent = () => {};

/** A broker with one connection an account, before a server that does as it is told. */
async function visit() {
  const server = await startScriptedServer();
  const broker = await Broker.start({
    listeners: [{ host: '127.0.0.1', port: 0 }],
    tenants: [tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] })],
    servers: [server.server()],
    pool: { connectionsPerAccount: 1, logoutMs: 200 },
    checkResults: true,
    log: pino({ level: 'silent' }),
  });
  const client = await RawClient.open(broker.urls[0] ?? '');
  onTestFinished(async () => {
    await client.close();
    await broker.stop();
    await server.close();
  });
  const answers: number[] = [];
  client.ws.on('message', (frame: Buffer) => answers.push(JSON.parse(frame.toString()).id));
  const { session } = await client.call('session.open', { server: 'scripted', user: 'alice', auth: { password: 'x' } });
  const stats = () => [...broker.registry.stats.values()][0];
  /** How many answers a request has had, once everything before has been answered. */
  const answersTo = async (id: number) => {
    await client.call('broker.ping', {});
    return answers.filter((answered) => answered === id).length;
  };
  return { server, broker, client, session, stats, answersTo };
}

type Visit = Awaited<ReturnType<typeof visit>>;

const read = { method: 'mailbox.status', command: 'STATUS', params: { mailboxes: ['INBOX'] } };
const bulk = { method: 'message.source', command: 'UID FETCH', params: { mailbox: 'INBOX', uidValidity: 1, uid: 1 } };
const data = Buffer.from('Subject: x\r\n\r\nx').toString('base64');
const write = { method: 'message.append', command: 'APPEND', params: { mailbox: 'INBOX', data } };

/** Brings the account to where the next request stays in a stage; answers how to leave it. */
const stages: Record<string, (visit: Visit, command: string) => Promise<() => void>> = {
  queued: async ({ server, client, session, stats }) => {
    server.on.LIST = silent;
    const holder = client.request('mailbox.list', { session });
    await waitFor(() => expect(stats()?.busy).toBe(1));
    return () => client.notify('$/cancelRequest', { id: holder.id });
  },
  connecting: async ({ server, stats }) => {
    server.on.AUTHENTICATE = silent;
    server.cut();
    await waitFor(() => expect(stats()).toMatchObject({ idle: 0, busy: 0 }));
    return () => {
      delete server.on.AUTHENTICATE;
      server.cut();
    };
  },
  running: async ({ server }, command) => {
    server.on[command] = silent;
    return () => delete server.on[command];
  },
};

const reached: Record<string, (visit: Visit, command: string) => void> = {
  queued: ({ stats }) => expect(stats()).toMatchObject({ busy: 1, waiting: 1 }),
  connecting: ({ server }) => expect(server.names().filter((name) => name === 'AUTHENTICATE')).toHaveLength(2),
  running: ({ server }, command) => expect(server.names()).toContain(command),
};

describe.each(Object.keys(stages))('a request that is %s', (stage) => {
  const cases = [read, bulk, write].flatMap((request) => ['CANCELLED', 'DEADLINE'].map((kind) => ({ request, kind })));
  it.each(cases)('$request.method has one answer, $kind, and leaves nothing', async ({ request, kind }) => {
    const it = await visit();
    const { client, session, stats, answersTo } = it;
    const leave = await stages[stage]?.(it, request.command);
    const timeoutMs = kind === 'DEADLINE' ? 150 : undefined;
    const { id, answer } = client.request(request.method, { session, ...request.params, timeoutMs });
    await waitFor(() => reached[stage]?.(it, request.command));
    if (kind === 'CANCELLED') client.notify('$/cancelRequest', { id });
    const executed = stage === 'running' && request === write ? 'maybe' : 'no';
    await expect(answer).rejects.toMatchObject({ data: { kind, executed } });
    leave?.();
    delete it.server.on.LIST;
    expect(await client.call('mailbox.status', { session, mailboxes: ['INBOX'] })).toMatchObject({ statuses: [{}] });
    expect(await answersTo(id)).toBe(1);
    await waitFor(() => expect(stats()).toMatchObject({ idle: 1, busy: 0, connecting: 0, waiting: 0 }));
  });
});
