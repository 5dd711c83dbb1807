import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

const folder = join(projectRoot, 'dist', `client-${process.pid}`);

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
beforeAll(async () => {
  builtProgram();
  mkdirSync(folder, { recursive: true });
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot);
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.stop();
  await dovecot.stop();
});

describe('a program with a client', () => {
  it('ends by itself as soon as the client is closed, whatever was cancelled before', async () => {
    const script = `
import { createClient } from 'imap-broker/client';
const client = createClient({ url: '${broker.url}', token: '${TOKEN}' });
const auth = { password: '${PASSWORD}' };
const { session } = await client.session.open({ server: 'dovecot', user: '${newUser()}', auth });
await client.watch({ session, mailboxes: ['INBOX'], onEvent: () => {}, onResync: () => {} });
const stop = new AbortController();
const cancelled = client.rpc.discover({}, { signal: stop.signal });
stop.abort();
await cancelled.catch(() => {});
client.close();
process.once('exit', () => process.stdout.write(String(performance.now() - closedAt)));
const closedAt = performance.now();
`;
    writeFileSync(join(folder, 'ends.mjs'), script);
    const program = new Program(process.execPath, ['ends.mjs'], { cwd: folder });
    expect(await program.ended(), program.err).toBe(0);
    expect(Number(program.out)).toBeLessThan(1000);
  }, 20_000);
});
