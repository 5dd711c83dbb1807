import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../src/client/index.js';
import { stubBroker } from '../server/stub-broker.js';

describe('a client on a Unix socket', () => {
  it.each(['broker.sock', 'with blank.sock', 'with:colon.sock', 'ünïcödé.sock', 'per%20cent.sock', 'ha#sh.sock'])(
    'reaches a file named %s, with a query too',
    async (name) => {
      const folder = mkdtempSync(join(tmpdir(), 'imap-broker-unix-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const unix = join(folder, name);
      await stubBroker({ listen: { unix } });
      for (const query of ['', '?shard=1']) {
        const client = createClient({ url: `unix:${unix}${query}`, token: 'good', timeoutMs: 5_000 });
        await client.broker.ping();
        client.close();
      }
    },
  );

  it('says why where there is no such file', async () => {
    const client = createClient({ url: 'unix:/nowhere/broker.sock?shard=1', token: 'good', timeoutMs: 300 });
    onTestFinished(() => client.close());
    await expect(client.broker.ping()).rejects.toThrow('ENOENT');
  });
});
