import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { RawClient } from '../support/running-broker.js';

const ROUNDS = 5;
const CLICKS = 150;

/** Sends as fast as it is let, with so many requests under way, until it is ended. */
const noise = (url: string, session: string) => `
import { createClient } from 'imap-broker/client';
const client = createClient({ url: '${url}', token: 'noisy' });
const mail = client.withSession('${session}');
process.stdout.write('noise');
const loop = async () => {
  for (;;) {
    try {
      await mail.message.list({ mailbox: 'INBOX' });
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? 1));
    }
  }
};
for (let count = 0; count < 64; count += 1) void loop();
`;

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

async function clicks(client: RawClient, session: string): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < CLICKS; count += 1) {
    const begun = performance.now();
    await client.call('message.list', { session, mailbox: 'INBOX' });
    times.push(performance.now() - begun);
  }
  return times;
}

it('an application at its limit beside one that clicks now and then', async () => {
  const dovecot = await Dovecot.start();
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-bench-'));
  const socket = join(folder, 'broker.sock');
  const config = join(folder, 'broker.toml');
  const tenant = (name: string, limit: string) =>
    `[[tenant]]\nname = "${name}"\ntoken_hashes = ["${hashToken(name)}"]\n${limit}\n`;
  writeFileSync(
    config,
    `[[listener]]\nunix = "${socket}"
[[server]]\nname = "dovecot"\nhost = "127.0.0.1"\nservername = "localhost"\nport = ${dovecot.tlsPort}\nca_file = "${dovecot.caPath}"
${tenant('quiet', '')}${tenant('noisy', 'requests_per_second = 20')}`,
  );
  const broker = new Program(process.execPath, [builtProgram(), 'serve', '--config', config]);
  await broker.printed(/"listening"/);
  const [quiet, noisy] = [
    await RawClient.open(`ws+unix:${socket}`, 'quiet'),
    await RawClient.open(`ws+unix:${socket}`, 'noisy'),
  ];
  const mails = Array.from({ length: 50 }, (_, index) => message({ subject: `Number ${index}` }));
  const [user, other] = [newUser(), newUser()];
  await dovecot.deliver(user, 'INBOX', mails);
  await dovecot.deliver(other, 'INBOX', mails);
  const session = await quiet.login(user);
  const noisySession = await noisy.login(other);
  await clicks(quiet, session);
  const alone: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(...(await clicks(quiet, session)));
    const script = noise(`unix:${socket}`, noisySession);
    const loud = new Program(process.execPath, ['--input-type=module', '-e', script], { cwd: projectRoot });
    await loud.printed(/noise/);
    beside.push(...(await clicks(quiet, session)));
    await loud.stop('SIGKILL');
  }
  const row = (share: number) => {
    const [a, b] = [quantile(alone, share), quantile(beside, share)];
    return `${a.toFixed(2)} ms alone, ${b.toFixed(2)} ms beside it: ratio ${(b / a).toFixed(2)}`;
  };
  process.stdout.write(`\nIndex page of the quiet application, ${alone.length} clicks each\n`);
  process.stdout.write(`median: ${row(0.5)}\n95%:    ${row(0.95)}\n`);
  expect(beside).toHaveLength(alone.length);
  await quiet.close();
  await noisy.close();
  await broker.stop();
  await dovecot.stop();
  rmSync(folder, { recursive: true, force: true });
}, 300_000);
