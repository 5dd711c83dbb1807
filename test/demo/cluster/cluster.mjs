// @ts-check
// Three brokers behind HAProxy with a Redis in common, an embedded IMAP server of many users, and the typed client.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../../dist/src/client/index.js';
import { newToken } from '../broker-process.mjs';
import { startMailServer } from '../mailbox.mjs';
import { mails } from '../mails.mjs';
import { table } from '../table.mjs';
import { Broker } from './brokers.mjs';
import { Lines } from './lines.mjs';
import { freePorts } from './ports.mjs';
import { haproxy, redis } from './servers.mjs';
import { story } from './story.mjs';
import { Visitors } from './visitors.mjs';

const USERS = 24;
const SHARDS = 32;
const names = Array.from({ length: USERS }, (_, at) => `user${`${at + 1}`.padStart(2, '0')}@example.com`);
const guest = 'guest@example.com';
const inbox = mails.filter(({ folder, attachment }) => folder === 'INBOX' && !attachment);

/** What has to be ended, the last one first. @type {(() => unknown)[]} */
const endings = [];
let ending = false;
const interrupted = new Promise((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => reject(new Error(`Ended by ${signal}.`)));
});
let code = 1;
try {
  code = await Promise.race([demonstrate(), interrupted]);
} catch (error) {
  complain(error);
}
ending = true;
for (let end = endings.pop(); end; end = endings.pop()) {
  try {
    await end();
  } catch (error) {
    // What cannot be ended does not keep the rest from it.
    complain(error);
    code = 1;
  }
}
console.log(`Everything is ended, with exit code ${code}.`);
// What still waits for an answer waits for servers that are gone.
process.exit(code);

/** @param {unknown} error */
function complain(error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
}

/** Remembers how to end what is about to be started. @param {() => unknown} end */
function later(end) {
  if (ending) throw new Error('The demo is about to end.');
  endings.push(end);
}

/** @param {ReturnType<typeof redis>} server */
async function start(server) {
  later(() => server.stop());
  await server.start();
}

/** @returns {Promise<number>} the exit code */
async function demonstrate() {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-demo-'));
  later(() => rmSync(folder, { recursive: true, force: true }));
  const mail = await startMailServer(new Map([...names, guest].map((name) => [name, inbox])));
  later(() => mail.close());
  const [port = 0, redisPort = 0, ...rest] = await freePorts(8);
  const ports = [0, 1, 2].map((at) => ({ port: rest[2 * at] ?? 0, monitorPort: rest[2 * at + 1] ?? 0 }));
  await start(redis(folder, redisPort));
  const { token, hash } = newToken();
  const setting = { folder, imapPort: mail.port, redisPort, token, hash };
  const brokers = ports.map((each, at) => new Broker(at, each, setting));
  later(() => Promise.all(brokers.map((broker) => broker.stop())));
  for (const broker of brokers.slice(0, 2)) await broker.start();
  await start(haproxy(folder, port, ports));
  console.log(`
An IMAP server with ${USERS} users runs in this process, at 127.0.0.1:${mail.port}. Two brokers run in front of it, a third will, and
HAProxy in front of these, at 127.0.0.1:${port}. The brokers know of ended sessions and of keys of writes by a Redis.`);
  const client = createClient({ url: `ws://127.0.0.1:${port}`, token, shards: SHARDS });
  later(() => client.close());
  const visitors = new Visitors(inbox.length);
  await visitors.signIn(client, names);
  console.log(`
All users have signed in, once, and watch their inboxes. From now on they list them, some fifty requests a second, and store a message
now and then, with an idempotency key. Each second: requests that were answered and failed, requests a second and users of each
broker, as it tells operators, messages stored and messages told by events, and logins at the IMAP server.`);
  const lines = new Lines({ brokers, visitors, mail });
  const printing = lines.print();
  visitors.start();
  await story(brokers, lines, visitors, USERS, token, guest);
  lines.end();
  await Promise.all([printing, visitors.stop()]);
  const found = await visitors.verify(mail);
  client.close();
  await Promise.all(brokers.map((broker) => broker.look()));
  return tell(visitors, brokers, mail.logins(), found);
}

/**
 * @param {Visitors} visitors @param {readonly Broker[]} brokers @param {number} logins
 * @param {Awaited<ReturnType<Visitors['verify']>>} found
 * @returns the exit code
 */
function tell({ counts, told, words }, brokers, logins, { lost, doubled, missed, toldTwice }) {
  const rows = [
    ['requests answered', counts.answered],
    ['requests failed', counts.failed],
    ...brokers.map(({ name, requests }) => [`requests that ${name} answered, as far as it could tell`, requests]),
    ['slowest list, in milliseconds', Math.round(counts.slowestListMs)],
    ['slowest append, in milliseconds', Math.round(counts.slowestAppendMs)],
    ['messages stored', counts.stored],
    ['appends sent again with their keys', counts.again],
    ['messages lost', lost],
    ['messages doubled', doubled],
    ['messages told', told],
    ['messages missed', missed],
    ['messages told twice', toldTwice],
    ['logins at the IMAP server', logins],
  ];
  console.log(`\n${table([['count', 'in all'], ...rows.map((row) => row.map(String))])}`);
  if (words.length > 0) console.log(`\nThe first of what failed:\n${words.join('\n')}`);
  const bad = counts.failed + lost + doubled + missed + toldTwice;
  console.log(
    `\n${bad === 0 ? 'No request failed, and no message was lost, doubled or missed.' : 'Something went wrong.'}`,
  );
  return bad === 0 ? 0 : 1;
}
