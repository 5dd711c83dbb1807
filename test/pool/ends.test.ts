import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Dovecot, newUser } from '../support/dovecot.js';
import { startScriptedServer } from '../support/scripted-server.js';
import { waitFor } from '../support/wait-for.js';
import { held, job, proven, registryWith } from './fixtures.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

/** How a user's connections ended, by the server's log. */
async function endings(user: string): Promise<string[]> {
  const line = new RegExp(`imap\\(${user}\\).*?: Info: (Disconnected: Logged out|Disconnected|Connection closed)`, 'g');
  return [...(await dovecot.log()).matchAll(line)].map(([, how = '']) => how);
}

async function loggedOut(user: string, times: number): Promise<void> {
  await waitFor(async () => {
    expect((await dovecot.who()).get(user)).toBeUndefined();
    expect(await endings(user)).toEqual(Array.from({ length: times }, () => 'Disconnected: Logged out'));
  });
}

describe('a connection ends with LOGOUT', () => {
  it('when it was idle for too long, and not before', async () => {
    const registry = registryWith({ idleMs: 300 });
    const user = newUser();
    const account = await proven(registry, dovecot.server(), { user });
    const begun = performance.now();
    await waitFor(() => expect(registry.caps.total).toBe(0));
    expect(performance.now() - begun).toBeGreaterThan(290);
    await loggedOut(user, 1);
    await account.run(job(), (connection) => connection.noop());
  });

  it('when it is too old, however young its last use is', async () => {
    const registry = registryWith({ maxAgeMs: 200, idleMs: 60_000 });
    const user = newUser();
    const before = await dovecot.logins();
    const account = await proven(registry, dovecot.server(), { user });
    const ids = new Set<string>();
    const until = Date.now() + 15_000;
    while (ids.size < 3 && Date.now() < until) {
      await account.run(job(), async (connection) => {
        ids.add(connection.id);
        await connection.noop();
      });
    }
    expect(ids.size).toBeGreaterThanOrEqual(3);
    await registry.closeAll(1_000);
    // The last successor may have come too late to be used.
    const made = (await dovecot.logins()) - before;
    expect([ids.size, ids.size + 1]).toContain(made);
    await loggedOut(user, made);
  });

  it('when its slot is needed elsewhere', async () => {
    const registry = registryWith({ connections: 1 });
    const user = newUser();
    await proven(registry, dovecot.server(), { user });
    await proven(registry, dovecot.server());
    await loggedOut(user, 1);
  });

  it('when the last session of its account ends', async () => {
    const registry = registryWith();
    const user = newUser();
    const account = await proven(registry, dovecot.server(), { user });
    const jobs = [held(), held()];
    const running = jobs.map(({ work }) => account.run(job(), work));
    await Promise.all(jobs.map(({ begun }) => begun));
    for (const { end } of jobs) end();
    await Promise.all(running);
    await registry.close(account.key);
    expect(registry.caps.total).toBe(0);
    await loggedOut(user, 2);
  });
});

describe('closing everything', () => {
  it('logs idle connections out at once, lets jobs finish within the grace, and takes no new ones', async () => {
    const registry = registryWith();
    const [idleUser, busyUser] = [newUser(), newUser()];
    await proven(registry, dovecot.server(), { user: idleUser });
    const busy = await proven(registry, dovecot.server(), { user: busyUser });
    const last = held();
    const running = busy.run(job(), async (connection) => {
      await last.work();
      await connection.select('INBOX');
      return 'finished';
    });
    await last.begun;
    const closing = registry.closeAll(10_000);
    await loggedOut(idleUser, 1);
    const draining = { kind: 'DRAINING', executed: 'no' };
    await expect(busy.run(job(), async () => {})).rejects.toMatchObject(draining);
    await expect(proven(registry, dovecot.server())).rejects.toMatchObject(draining);
    last.end();
    expect(await running).toBe('finished');
    await closing;
    await loggedOut(busyUser, 1);
  });

  it('stops what goes on for longer than the grace, and what waits, and says whether it wrote', async () => {
    const registry = registryWith({ connectionsPerAccount: 2 });
    const account = await proven(registry, dovecot.server());
    const reading = account.run(job(), () => new Promise(() => {}));
    const writing = account.run(job({ effect: 'write' }), async (connection) => {
      await connection.exec('write', 'CREATE', ['Made']);
      await new Promise(() => {});
    });
    await waitFor(() => expect(account.stats.busy).toBe(2));
    const waiting = account.run(job(), async () => {});
    await new Promise((resolve) => setImmediate(resolve));
    const begun = performance.now();
    const closing = registry.closeAll(1_000);
    await expect(waiting).rejects.toMatchObject({ kind: 'DRAINING', executed: 'no' });
    expect(performance.now() - begun).toBeLessThan(1_000);
    await expect(reading).rejects.toMatchObject({ kind: 'DRAINING', executed: 'no' });
    await expect(writing).rejects.toMatchObject({ kind: 'DRAINING', executed: 'maybe' });
    await closing;
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(registry.caps.total).toBe(0);
  });

  it('ends logins under way, and a server that does not answer LOGOUT', async () => {
    const server = await startScriptedServer({ on: { LOGOUT: () => {} } });
    onTestFinished(() => server.close());
    const registry = registryWith({ logoutMs: 100 });
    await proven(registry, server.server(), { user: 'first' });
    server.on.AUTHENTICATE = () => {};
    const opening = proven(registry, server.server(), { user: 'second' });
    await waitFor(() => expect(server.names().filter((name) => name === 'AUTHENTICATE')).toHaveLength(2));
    const begun = performance.now();
    const closing = registry.closeAll(0);
    await expect(opening).rejects.toMatchObject({ kind: 'DRAINING' });
    await closing;
    expect(performance.now() - begun).toBeLessThan(1_900);
    expect(registry.caps.total).toBe(0);
    await waitFor(() => expect(server.connections.size).toBe(0));
    expect(server.names().filter((name) => name === 'LOGOUT')).toHaveLength(1);
  });

  it('waits for accounts that are being closed already', async () => {
    const registry = registryWith();
    const user = newUser();
    const account = await proven(registry, dovecot.server(), { user });
    void registry.close(account.key);
    expect(registry.stats.size).toBe(0);
    await registry.closeAll(1_000);
    expect(registry.caps.total).toBe(0);
    await loggedOut(user, 1);
  });
});
