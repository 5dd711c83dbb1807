import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { createClient } from '../../src/client/index.js';
import { certificates } from '../support/certificates.js';
import { freePorts } from '../support/ports.js';
import { type BrokerPorts, RunningProxy } from '../support/proxy.js';
import { runBroker, TOKEN } from '../support/running-broker.js';
import { upstream } from '../support/upstream.js';

const SHARDS = 32;
const scale = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8');
/** The lines of the servers that docs/scale.md has for brokers on several hosts. */
const [, lines = ''] = /^## On several hosts\n[\s\S]*?^```haproxy\n([\s\S]*?)^```$/m.exec(scale) ?? [];

let folder: string;
let ports: BrokerPorts[];
let proxyPorts: number[];
let brokers: Broker[];
let proxies: RunningProxy[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-hosts-'));
  const { ca, cert, key } = certificates();
  writeFileSync(join(folder, 'brokers.pem'), ca);
  const free = await freePorts(8);
  proxyPorts = free.slice(6);
  ports = [0, 1, 2].map((index) => ({ port: free[2 * index] ?? 0, monitorPort: free[2 * index + 1] ?? 0 }));
  const tls = { cert, key };
  const start = ({ port, monitorPort }: BrokerPorts) =>
    runBroker(
      { server: () => upstream('main', 1) },
      {
        listeners: [{ host: '0.0.0.0', port, tls }],
        monitor: { host: '0.0.0.0', port: monitorPort, tls },
      },
    );
  brokers = await Promise.all(ports.map(start));
  proxies = [];
});
afterEach(async () => {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await Promise.all(brokers.map((broker) => broker.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** An HAProxy with the documented lines. @param wrong index of the broker whose certificate has another name than its line */
async function proxyWith({ wrong }: { wrong?: number } = {}): Promise<RunningProxy> {
  const edit = (text: string) => {
    let edited = lines.replace('/etc/haproxy/brokers.pem', join(folder, 'brokers.pem'));
    for (const [index, { port, monitorPort }] of ports.entries()) {
      const host = `broker${index + 1}.example.com`;
      expect(edited).toContain(`server broker${index + 1} ${host}:7143 port 7144 verifyhost ${host}\n`);
      edited = edited.replace(`${host}:7143 port 7144`, `127.0.0.1:${port} port ${monitorPort}`);
      if (index !== wrong) edited = edited.replace(`verifyhost ${host}`, 'verifyhost localhost');
    }
    const kept = text.split('\n').filter((line) => !/^ *(?:default-server|server) /.test(line));
    return `${kept.join('\n')}\n${edited}`;
  };
  const proxy = await RunningProxy.start('HAProxy', proxyPorts[proxies.length] ?? 0, ports, edit);
  proxies.push(proxy);
  return proxy;
}

/** The epoch of the broker that gets each shard. */
async function placesBehind({ port }: RunningProxy): Promise<string[]> {
  const ask = async (_: unknown, shard: number) => {
    const client = createClient({ url: `ws://127.0.0.1:${port}/?shard=${shard}`, token: TOKEN });
    const { epoch } = await client.broker.ping();
    client.close();
    return epoch;
  };
  return Promise.all(Array.from({ length: SHARDS }, ask));
}

describe('brokers on several hosts, behind HAProxy with the lines of docs/scale.md', () => {
  it('are reached by TLS, but not where a certificate has another name', async () => {
    expect(new Set(await placesBehind(await proxyWith())).size).toBe(3);
    expect(new Set(await placesBehind(await proxyWith({ wrong: 2 }))).size).toBe(2);
  });
});

describe('a second HAProxy with the same lines', () => {
  it('has a user at the same broker as the first', async () => {
    const [first, second] = [await proxyWith(), await proxyWith()];
    expect(await placesBehind(second)).toEqual(await placesBehind(first));
  });
});
