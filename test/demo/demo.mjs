// @ts-check
// The main job, whole: an embedded IMAP server with a mailbox, the broker in front of it, the typed client.
import { createHash } from 'node:crypto';
import { createClient } from '../../dist/src/client/index.js';
import { arrival } from './arrival.mjs';
import { startBroker } from './broker-process.mjs';
import { atDistance } from './distance.mjs';
import { password, rawOf, startMailServer, user } from './mailbox.mjs';
import { catalogue } from './mails.mjs';
import { perClick } from './per-click.mjs';
import { duration, median, table } from './table.mjs';
import { throughBroker } from './through-broker.mjs';

const ROUNDS = 5;
const ROUND_TRIP_MS = 20;
const keep = process.argv.includes('--keep');
const catalogueHash = createHash('sha256').update(catalogue).digest('hex');
/** @type {string[][]} */
const results = [];
let viaBroker = 0;
let viaClicks = 0;

const mail = await startMailServer();
const imap = await atDistance(mail.port, ROUND_TRIP_MS);
console.log(`
An IMAP server with the mailbox of ${user} runs in this process, at 127.0.0.1:${imap.port}. A relay before it makes each
round trip last ${ROUND_TRIP_MS} ms, as to a data centre in the next country. TLS is left out: it would cost a connection more.`);
const broker = await startBroker(imap.port);
console.log(`The broker runs in front of it on ${broker.url}.`);
const client = createClient({ url: broker.url, token: broker.token });
try {
  const session = await demonstrate();
  if (keep) await untilStopped(session);
} finally {
  client.close();
  const code = await broker.stop();
  imap.close();
  mail.close();
  console.log(`\nThe broker logged out everywhere and ended with exit code ${code}.`);
}

/** @param {string} session */
async function untilStopped(session) {
  console.log(`
All of it goes on until Ctrl-C. To try next, in another terminal:
  export IMAP_BROKER_URL=${broker.url} IMAP_BROKER_TOKEN=${broker.token}
  npx imap-broker call message.list '{"session":"${session}","mailbox":"INBOX","limit":3}'
  npm start --prefix examples/webmail
The last one starts a webmail: user ${user}, password ${password}. examples/README.md has more.`);
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
}

async function demonstrate() {
  const ours = throughBroker(client);
  const theirs = perClick(imap.port);
  await theirs.signIn(); // So that neither way pays for what the process does for the first time.
  console.log(
    `\nSigning in once, then each click ${ROUNDS} times: through the broker, and with a connection of its own (medians).\n`,
  );
  const session = await step(
    'Sign in',
    ours.signIn,
    theirs.signIn,
    (token) => `a token of ${token.length} characters`,
    1,
  );
  await step('List the folders, with counts', ours.folders, theirs.folders, (all) => `${all.length} folders`);
  const rows = await step(
    'Show the index page of the inbox',
    ours.index,
    theirs.index,
    (page) => `${page.length} rows`,
  );
  const row = rows.find(({ envelope }) => envelope?.subject === 'Catalogue, final proof');
  if (!row) throw new Error('The message with the catalogue is not in the index.');
  const message = await step(
    'Open a message',
    () => ours.open(row.uid),
    () => theirs.open(row.uid),
    ({ envelope, attachments }) => `"${envelope.subject}" with ${attachments.length} attachment`,
  );
  const [attachment] = message.attachments;
  if (!attachment) throw new Error('The message has no attachment.');
  await step(
    `Stream its attachment ${attachment.fileName}`,
    () => ours.attachment(row.uid, attachment.part),
    () => theirs.attachment(row.uid, attachment.part),
    (hash) => `${catalogue.length} bytes, ${unchanged(hash)}`,
  );
  await step(
    'Flag the message',
    () => ours.flag(row.uid),
    () => theirs.flag(row.uid),
    ([changed]) => `now ${changed?.flags.join(' ')}`,
  );
  const sent = { from: `Anna Lindqvist <${user}>`, subject: 'Re: Catalogue, final proof', text: 'Print it!\n\nAnna' };
  const raw = rawOf({ ...sent, conversation: 'Catalogue, final proof' }, new Date());
  await step(
    'Put an answer into Sent',
    () => ours.append(raw),
    () => theirs.append(raw),
    ({ uid }) => `its uid is ${uid}`,
  );
  const news = { from: 'Bo <bo@harbour-books.example>', subject: 'The first copies are here', text: 'Come and see!' };
  const toldMs = await arrival(client.withSession(session), news.subject, () => mail.deliver(rawOf(news, new Date())));
  console.log(`A new message is delivered: the event that shows "${news.subject}" comes ${duration(toldMs)} later.`);
  console.log(`\n${table([['click', 'broker', 'connection per click', 'ratio'], ...results])}`);
  console.log(`\nIMAP connections: ${viaBroker} through the broker, ${viaClicks} with one per click.`);
  return session;
}

/** @param {string} hash */
function unchanged(hash) {
  if (hash !== catalogueHash) throw new Error('The attachment came with other bytes than were sent.');
  return 'all as they were sent';
}

/**
 * Does the same click both ways, in turns, and tells the times.
 * @template T
 * @param {string} what @param {() => Promise<T>} ours @param {() => Promise<unknown>} theirs
 * @param {(result: T) => string} describe
 * @param {number} [rounds]
 * @returns {Promise<T>}
 */
async function step(what, ours, theirs, describe, rounds = ROUNDS) {
  const times = { ours: /** @type {number[]} */ ([]), theirs: /** @type {number[]} */ ([]) };
  /** @type {T | undefined} */
  let result;
  for (let round = 0; round < rounds; round += 1) {
    const before = mail.connections();
    const start = performance.now();
    result = await ours();
    const between = performance.now();
    viaBroker += mail.connections() - before;
    const middle = mail.connections();
    await theirs();
    times.theirs.push(performance.now() - between);
    viaClicks += mail.connections() - middle;
    times.ours.push(between - start);
  }
  const [fast, slow] = [median(times.ours), median(times.theirs)];
  const told = /** @type {T} */ (result);
  console.log(`${what}: ${describe(told)}. ${duration(fast)}; with a connection of its own ${duration(slow)}.`);
  results.push([what, duration(fast), duration(slow), `${(slow / fast).toFixed(1)} x`]);
  return told;
}
