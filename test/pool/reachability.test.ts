import { expect, it, onTestFinished, vi } from 'vitest';
import { Reachability } from '../../src/pool/supply/reachability.js';
import { startScriptedServer } from '../support/scripted-server.js';
import { FakeServers } from './fake-server.js';
import { proven, registryWith } from './fixtures.js';

async function listening(name: string) {
  const server = await startScriptedServer();
  onTestFinished(() => server.close());
  return { ...server.server(), name, accepted: () => server.accepted };
}

/** From now on it is so many milliseconds later. */
function later(ms: number): void {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + ms);
  onTestFinished(() => clock.mockRestore());
}

it('a server that greets can be reached, and is asked once in a minute, however many want to know', async () => {
  const server = await listening('main');
  const reachability = new Reachability(registryWith(), () => [server]);
  await Promise.all(Array.from({ length: 20 }, () => reachability.look()));
  later(50_000);
  expect(await reachability.look()).toEqual(new Map([['main', undefined]]));
  expect(reachability.known).toEqual(new Map([['main', true]]));
  expect(server.accepted()).toBe(1);
  later(20_000);
  await reachability.look();
  expect(server.accepted()).toBe(2);
});

it('a server that answered a login is not asked, whether the login succeeded or not', async () => {
  const server = await listening('main');
  const fakes = new FakeServers();
  const registry = registryWith({}, fakes.connect);
  const reachability = new Reachability(registry, () => [server]);
  await proven(registry, server);
  expect(await reachability.look()).toEqual(new Map([['main', undefined]]));
  later(59_000);
  fakes.outcome = 'refused';
  await proven(registry, server).catch(() => {});
  later(59_000);
  expect(await reachability.look()).toEqual(new Map([['main', undefined]]));
  expect(server.accepted()).toBe(0);
});

it('a server of which a login failed is asked anew', async () => {
  const server = await listening('main');
  const fakes = new FakeServers();
  const registry = registryWith({}, fakes.connect);
  const reachability = new Reachability(registry, () => [server]);
  await proven(registry, server);
  fakes.outcome = 'unavailable';
  await proven(registry, server).catch(() => {});
  later(3_000);
  expect(await reachability.look()).toEqual(new Map([['main', undefined]]));
  expect(server.accepted()).toBe(1);
});

it('a server from which the broker backs off is none that can be reached, and is not asked', async () => {
  const server = await listening('main');
  const fakes = new FakeServers();
  fakes.outcome = 'unavailable';
  // The jitter: else it may be over before it is looked at.
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.99);
  onTestFinished(() => random.mockRestore());
  const registry = registryWith({}, fakes.connect);
  const reachability = new Reachability(registry, () => [server]);
  while (registry.servers.get('main')?.state !== 'open') await proven(registry, server).catch(() => {});
  expect(await reachability.look()).toEqual(
    new Map([['main', expect.stringMatching(/^backing off for \d+ s, after 5 failures$/)]]),
  );
  expect(reachability.known).toEqual(new Map([['main', false]]));
  expect(server.accepted()).toBe(0);
});

it('of servers that cannot be reached it tells why, of each, and of others that they can', async () => {
  const main = await listening('main');
  const gone = { ...main, name: 'gone', port: 1 };
  const reachability = new Reachability(registryWith(), () => [gone, main]);
  expect(await reachability.look()).toEqual(
    new Map([
      ['gone', expect.stringMatching(/ECONNREFUSED/)],
      ['main', undefined],
    ]),
  );
  expect(reachability.known).toEqual(
    new Map([
      ['gone', false],
      ['main', true],
    ]),
  );
});

it('a server that has another address after a reload is asked there, and one that is gone is forgotten', async () => {
  const main = await listening('main');
  let servers = [{ ...main, port: 1 }];
  const reachability = new Reachability(registryWith(), () => servers);
  expect((await reachability.look()).get('main')).toMatch(/ECONNREFUSED/);
  servers = [main];
  expect(await reachability.look()).toEqual(new Map([['main', undefined]]));
  servers = [];
  expect(await reachability.look()).toEqual(new Map());
  expect(reachability.known).toEqual(new Map());
});
