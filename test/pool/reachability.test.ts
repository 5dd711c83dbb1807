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

it('one server that greets is enough', async () => {
  const server = await listening('main');
  const gone = { ...server, name: 'gone', port: 1 };
  const reachability = new Reachability(registryWith(), () => [gone, server]);
  expect(await reachability.problems()).toEqual([]);
  expect(server.accepted()).toBe(1);
});

it('however many ask, the servers are asked once in a while', async () => {
  const server = await listening('main');
  const reachability = new Reachability(registryWith(), () => [server]);
  await Promise.all(Array.from({ length: 20 }, () => reachability.problems()));
  await reachability.problems();
  expect(server.accepted()).toBe(1);
});

it('a server that is left alone is none that can be reached, and is not asked', async () => {
  const server = await listening('main');
  const fakes = new FakeServers();
  fakes.outcome = 'unavailable';
  // The jitter: else it may be over before it is looked at.
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.99);
  onTestFinished(() => random.mockRestore());
  const registry = registryWith({}, fakes.connect);
  const reachability = new Reachability(registry, () => [server]);
  while (registry.servers.get('main')?.state !== 'open') await proven(registry, server).catch(() => {});
  expect(await reachability.problems()).toEqual([
    expect.stringMatching(/^main: left alone for \d+ s, after 5 failures$/),
  ]);
  expect(server.accepted()).toBe(0);
});

it('when none can be reached it tells why, of each', async () => {
  const gone = { ...(await listening('main')), port: 1 };
  const reachability = new Reachability(registryWith(), () => [gone, { ...gone, name: 'other' }]);
  const refused = (name: string) => expect.stringMatching(new RegExp(`^${name}: .*ECONNREFUSED`));
  expect(await reachability.problems()).toEqual([refused('main'), refused('other')]);
});

it('a silent server does not make the answer of another one wait, nor is it asked twice', async () => {
  const silent = await startScriptedServer({ greeting: null });
  onTestFinished(() => silent.close());
  const other = await listening('other');
  const servers = [other];
  const reachability = new Reachability(registryWith(), () => servers);
  expect(await reachability.problems()).toEqual([]);
  // From now on the one that answered last is silent.
  servers[0] = { ...other, port: silent.port };
  servers[1] = { ...other, name: 'third' };
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
  onTestFinished(() => void vi.restoreAllMocks());
  expect(await reachability.problems()).toEqual([]);
  expect(silent.accepted).toBe(1);
  expect(other.accepted()).toBe(2);
  expect(silent.connections.size).toBe(1);
});
