import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { Registry } from '../../src/pool/registry.js';
import { Views } from '../../src/view/views.js';
import { defaultWatchTimes, watcherOf } from '../../src/watch/watcher.js';
import { job } from '../pool/fixtures.js';
import { type ScriptedHandler, startScriptedServer } from '../support/scripted-server.js';
import { virtualTime } from '../support/virtual-time.js';

/** A watch of INBOX at a server that answers IDLE as the test says, and the lines of its log. */
async function watched(idle?: ScriptedHandler) {
  const server = await startScriptedServer({ exists: 0 });
  onTestFinished(() => server.close());
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line).msg) });
  const registry = new Registry({ ...defaultPoolLimits }, { log });
  onTestFinished(() => registry.closeAll(0));
  const time = virtualTime();
  const opening = registry.prove(
    { tenant: 't', server: server.server(), user: 'anna' },
    { user: 'anna', password: 'secret' },
    job({ deadlineAt: Number.POSITIVE_INFINITY }),
  );
  await time.until(opening);
  const account: Account = await opening;
  if (idle) server.on.IDLE = idle;
  const views = new Views();
  const watcher = watcherOf(views, defaultWatchTimes, log)(account, () => {});
  onTestFinished(() => watcher.close());
  const watching = watcher.watch(['INBOX'], AbortSignal.timeout(60_000));
  await time.until(watching);
  await watching;
  const { reader, unpin } = views.pin(account.key, 'INBOX');
  onTestFinished(unpin);
  const before = { logins: server.accepted, commands: server.received.length };
  return { server, account, reader, lines, time, before };
}

const begin: ScriptedHandler = (_command, peer) => peer.send('+ idling');

it.each<[string, ScriptedHandler]>([
  [
    'BYE',
    (command, peer) => {
      void begin(command, peer);
      peer.send('* BYE you have idled enough');
      peer.end();
    },
  ],
  ['an RST', (_command, peer) => peer.reset()],
  ['the end of the connection', (_command, peer) => peer.end()],
])(
  'a watch whose IDLE ends at once with %s logs in less and less often, and the log has one line',
  async (_how, end) => {
    const { server, lines, time, before } = await watched(end);
    await time.pass(30_000);
    // 27 to 43 before.
    expect(server.accepted - before.logins).toBeLessThanOrEqual(8);
    await time.pass(270_000);
    expect(server.accepted - before.logins).toBeLessThanOrEqual(16);
    expect(server.accepted - before.logins).toBeGreaterThanOrEqual(4);
    expect(lines).toEqual(['IMAP connections end soon after their logins; the account backs off']);
  },
);

it.each<[string, ScriptedHandler]>([
  ['OK before any DONE', (command, peer) => peer.send('+ idling', `${command.tag} OK that was it`)],
  ['a tagged OK and no "+"', (command, peer) => peer.ok(command)],
])('a watch whose IDLE ends at once with %s asks less and less often on the same connection', async (_how, idle) => {
  const { server, lines, time, before } = await watched(idle);
  await time.pass(30_000);
  expect(server.names().filter((name) => name === 'IDLE').length).toBeLessThanOrEqual(8);
  await time.pass(270_000);
  // 296,085 commands in half a minute before; now one IDLE and one NOOP each half minute.
  expect(server.received.length - before.commands).toBeLessThanOrEqual(60);
  expect(server.names().filter((name) => name === 'IDLE').length).toBeGreaterThanOrEqual(10);
  expect(server.accepted).toBe(before.logins);
  expect(server.names()).not.toContain('DONE');
  expect(lines).toEqual(['the IMAP server ends each IDLE soon after it began; the watch asks it now and then']);
});

it('a watch that has stayed for a while comes back soon, and is forgiven', async () => {
  const { server, lines, time } = await watched();
  for (let round = 0; round < 6; round += 1) {
    await time.pass(40_000);
    server.cut();
    const lost = server.accepted;
    await time.pass(3_000);
    expect(server.accepted).toBe(lost + 1);
  }
  expect(lines).toEqual([]);
});

it('a read on a watch that is half-open goes on elsewhere within five seconds', async () => {
  const { server, account, reader, time } = await watched();
  await time.pass(10_000);
  for (const peer of server.connections) peer.freeze();
  const reading = reader.read<boolean>(account, {
    key: 'test',
    maxAgeMs: 0,
    job: job({ mailbox: 'INBOX', deadlineAt: Date.now() + 60_000 }),
    fromMemory: () => true,
    fetch: async () => true,
  });
  expect(await time.until(reading)).toBeLessThanOrEqual(5_000);
  expect((await reading).value).toBe(true);
});
