import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { atom, literal, mailboxName, sequence } from '../../src/imap/wire/tokens.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { freePorts } from '../support/ports.js';
import { startRelay } from '../support/relay.js';
import { type ScriptedHandler, type ScriptedOptions, startScriptedServer } from '../support/scripted-server.js';
import { waitFor } from '../support/wait-for.js';
import { held, job, proven, registryWith } from './fixtures.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

const select = (connection: ImapConnection) => connection.select('INBOX', { fresh: true });
const append = (connection: ImapConnection) =>
  connection.exec('write', 'APPEND', [mailboxName('INBOX'), literal(message({ text: 'x'.repeat(100_000) }))]);

/** An account at a Dovecot behind a network that can break. */
async function behindRelay() {
  const relay = await startRelay(dovecot.tlsPort);
  onTestFinished(() => relay.close());
  const registry = registryWith();
  const account = await proven(registry, dovecot.server({ port: relay.port }));
  return { relay, registry, account };
}

/** An account at a server that does as it is told. */
async function scripted(options: ScriptedOptions) {
  const server = await startScriptedServer(options);
  onTestFinished(() => server.close());
  const registry = registryWith();
  const account = await proven(registry, server.server());
  return { server, registry, account };
}

describe('a connection that breaks under a job', () => {
  it('costs a read nothing but another connection', async () => {
    const { relay, registry, account } = await behindRelay();
    let attempts = 0;
    const selected = await account.run(job(), (connection) => {
      attempts += 1;
      const selecting = select(connection);
      if (attempts === 1) relay.cut();
      return selecting;
    });
    expect(selected.path).toBe('INBOX');
    expect(attempts).toBe(2);
    expect(registry.caps.total).toBe(1);
    await waitFor(() => expect(relay.connections).toBe(1));
  });

  it('is told when it happens to a read twice, and not tried again', async () => {
    const { relay, account } = await behindRelay();
    let attempts = 0;
    const running = account.run(job(), (connection) => {
      attempts += 1;
      const selecting = select(connection);
      relay.cut();
      return selecting;
    });
    await expect(running).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'no' });
    expect(attempts).toBe(2);
  });

  it('leaves a write open, and never repeats it', async () => {
    const { relay, account } = await behindRelay();
    for (const effect of ['write', 'read'] as const) {
      let attempts = 0;
      const running = account.run(job({ effect }), (connection) => {
        attempts += 1;
        const appending = append(connection);
        relay.cut();
        return appending;
      });
      await expect(running).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
      expect(attempts).toBe(1);
    }
  });

  it('says that nothing was written when a write had not begun', async () => {
    const { relay, account } = await behindRelay();
    const running = account.run(job({ effect: 'write' }), async (connection) => {
      const selecting = select(connection);
      relay.cut();
      await selecting;
      await append(connection);
    });
    await expect(running).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'no' });
  });

  it('because the server was killed costs a read nothing once the server is back', async () => {
    const registry = registryWith();
    const account = await proven(registry, dovecot.server());
    let attempts = 0;
    const running = account.run(job(), async (connection) => {
      attempts += 1;
      if (attempts === 1) {
        await dovecot.kill();
        await dovecot.run();
      }
      return select(connection);
    });
    expect(await running).toMatchObject({ path: 'INBOX' });
    expect(attempts).toBe(2);
  });

  it('is replaced for a read by one that answers, although another is idle that is as dead', async () => {
    const { server, account } = await scripted({});
    const other = held();
    const holding = account.run(job(), other.work);
    await other.begun;
    const bye: ScriptedHandler = (command, peer) => {
      if (peer.id > 2) peer.ok(command);
      else peer.send('* BYE the folder is gone');
    };
    Object.assign(server.on, { NOOP: bye, STATUS: bye });
    // The other one comes back behind the loss, while a third one logs in.
    server.on.AUTHENTICATE = async (command, peer) => {
      if (peer.id > 2) {
        other.end();
        await holding;
      }
      await server.answer(command, peer);
    };
    let attempts = 0;
    await account.run(job(), async (connection) => {
      attempts += 1;
      await connection.exec('read', 'STATUS');
    });
    expect(attempts).toBe(2);
  });

  it('with BYE is replaced for a read, and told with the words of the server for a write', async () => {
    const { server, account } = await scripted({ on: { NOOP: (_command, peer) => peer.send('* BYE restarting') } });
    await expect(account.run(job(), (connection) => connection.noop())).rejects.toMatchObject({
      kind: 'CONNECTION_LOST',
      executed: 'no',
      imap: { status: 'BYE', text: 'restarting' },
      retryAfterMs: expect.any(Number),
    });
    expect(server.accepted).toBe(2);
    server.on['UID STORE'] = (_command, peer) => peer.send('* BYE restarting');
    const writing = account.run(job({ effect: 'write' }), (connection) => connection.exec('write', 'UID STORE'));
    await expect(writing).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
  });

  it('because its answer was too large or made no sense is not used again', async () => {
    for (const row of ['* 1 FETCH (UID 1 BODY[] {999999999}', '* 1 FETCH (UID 1 BODY[] "abc']) {
      const { server, registry, account } = await scripted({
        on: { 'UID FETCH': (command, peer) => peer.send(row, `${command.tag} OK done`) },
      });
      const fetch = (connection: ImapConnection) =>
        connection.exec('read', 'UID FETCH', [sequence('1'), atom('BODY[]')]);
      await expect(account.run(job(), fetch)).rejects.toMatchObject({ executed: 'no' });
      await waitFor(() => expect([registry.caps.total, server.connections.size]).toEqual([0, 0]));
    }
  });
});

describe('a server that has fallen silent', () => {
  it('is DEADLINE in time, and its connection is closed', async () => {
    const { relay, registry, account } = await behindRelay();
    relay.freeze();
    const begun = performance.now();
    const running = account.run(job({ deadlineAt: Date.now() + 100 }), select);
    await expect(running).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    const writing = account.run(job({ effect: 'write', deadlineAt: Date.now() + 100 }), append);
    await expect(writing).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(account.stats).toMatchObject({ idle: 0, busy: 0, waiting: 0 });
    relay.thaw();
    expect(await account.run(job(), select)).toMatchObject({ path: 'INBOX' });
    await waitFor(() => expect(relay.connections).toBe(registry.caps.total));
  });

  it('in the middle of a write is DEADLINE that leaves the write open', async () => {
    const { relay, account } = await behindRelay();
    const writing = account.run(job({ effect: 'write', deadlineAt: Date.now() + 150 }), (connection) => {
      relay.freeze();
      return append(connection);
    });
    await expect(writing).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'maybe' });
  });
});

describe('idle connections', () => {
  it('that a killed server took along are forgotten, and made anew once it is back', async () => {
    const registry = registryWith();
    const accounts = await Promise.all([1, 2, 3].map(() => proven(registry, dovecot.server())));
    expect(registry.caps.total).toBe(3);
    await dovecot.kill();
    await waitFor(() => expect(registry.caps.total).toBe(0));
    const down = accounts[0]?.run(job(), select);
    await expect(down).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', retryAfterMs: expect.any(Number) });
    await dovecot.run();
    await Promise.all(accounts.map((account) => account.run(job(), select)));
  });

  it('that the server ends with BYE are dropped silently', async () => {
    const registry = registryWith();
    const user = newUser();
    const account = await proven(registry, dovecot.server(), { user });
    await dovecot.kick(user);
    await waitFor(() => expect(account.stats.idle).toBe(0));
    expect(await account.run(job({ effect: 'write' }), select)).toMatchObject({ path: 'INBOX' });
  });
});

describe('a server that refuses connections', () => {
  it('is told to all who wait', async () => {
    const { relay, account } = await behindRelay();
    await relay.close();
    await waitFor(() => expect(account.stats.idle).toBe(0));
    const jobs = Array.from({ length: 20 }, () => account.run(job(), select));
    for (const outcome of await Promise.allSettled(jobs)) {
      expect(outcome).toMatchObject({ reason: { kind: 'UPSTREAM_UNAVAILABLE', executed: 'no' } });
    }
    const [port = 0] = await freePorts(1);
    const opening = proven(registryWith(), dovecot.server({ port }));
    await expect(opening).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', executed: 'no' });
  });

  it('beyond its limit of a user is waited for, as long as the user has a connection', async () => {
    const limited = await Dovecot.start({ maxUserIpConnections: 1 });
    onTestFinished(() => limited.stop());
    const registry = registryWith();
    const user = newUser();
    const account = await proven(registry, limited.server(), { user });
    const first = held();
    const running = account.run(job(), first.work);
    await first.begun;
    const waiting = Array.from({ length: 5 }, () => account.run(job(), select));
    await waitFor(async () => expect(await limited.log()).toContain('Maximum number of connections'));
    first.end();
    await Promise.all([running, ...waiting]);
    const refused = (await limited.log()).match(/Maximum number of connections/g) ?? [];
    expect(refused.length).toBeLessThanOrEqual(2);
    // Its own idle connection is not what keeps another login out.
    await proven(registry, limited.server(), { user });
    expect(registry.caps.total).toBe(1);
  });
});

describe('a password that was changed at the server', () => {
  it('is one refused login, after which only a new proof helps', async () => {
    const registry = registryWith();
    const user = newUser();
    const account = await proven(registry, dovecot.server(), { user });
    await account.evictIdle();
    await dovecot.setPassword(user, 'another');
    await expect(account.run(job(), select)).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED', executed: 'no' });
    await expect(account.run(job(), select)).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED', executed: 'no' });
    const refused = [
      ...(await dovecot.log()).matchAll(new RegExp(`${user}.*(?:password mismatch|Password mismatch)`, 'g')),
    ];
    expect(refused).toHaveLength(1);
    expect(registry.get(account.key)).toBeUndefined();
    await expect(proven(registry, dovecot.server(), { user, password: PASSWORD })).rejects.toMatchObject({
      kind: 'IMAP_AUTH_FAILED',
    });
    await proven(registry, dovecot.server(), { user, password: 'another' });
    expect(registry.get(account.key)).toBe(account);
    await account.run(job(), select);
  });
});
