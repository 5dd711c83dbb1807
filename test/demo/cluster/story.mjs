// @ts-check
// What happens to the brokers while users click.
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, RpcError } from '../../../dist/src/client/index.js';
import { password } from '../mailbox.mjs';
import { duration } from '../table.mjs';

/** Milliseconds in which the end of a session has to be known at the other brokers, on a machine that is busy with other things. */
const ENDED_MS = 10_000;
const ASK_MS = 50;

/**
 * Adds a broker, kills one, brings it back and ends a session.
 * @param {readonly import('./brokers.mjs').Broker[]} brokers three, of which the third does not run yet
 * @param {import('./lines.mjs').Lines} lines
 * @param {import('./visitors.mjs').Visitors} visitors @param {number} users @param {string} token @param {string} guest a user who does not click
 */
export async function story(brokers, lines, visitors, users, token, guest) {
  const [first, second, third] = brokers;
  if (!first || !second || !third) throw new Error('The story needs three brokers.');
  /** All users are at some broker, each at one alone, and these have some. @param {...import('./brokers.mjs').Broker} some */
  const settled = (...some) => {
    const all = brokers.reduce((sum, broker) => sum + broker.users, 0);
    return all === users && some.every((broker) => broker.users > 0);
  };
  lines.step('Two brokers share the users. What a user asks for goes to the broker of his shard.');
  await lines.until('two brokers have all users', () => settled(first, second));
  await lines.looks(4);

  lines.step(
    'The third broker is started. Sockets come of age after some seconds, and the next ones are shared among three.',
  );
  await third.start();
  await lines.until('the third broker has its share', () => settled(first, second, third));
  await lines.looks(4);

  lines.step(`Broker 2 is killed (kill -9) while each user stores a message. Its users go on at the others, which log in for them. What it did
not answer is sent again with its key, and is held back for ten seconds: the broker might still be at work.`);
  const storing = visitors.storeAll();
  await second.kill();
  await Promise.all([storing, lines.until('the others have all users', () => settled(first, third))]);
  await lines.looks(2);

  lines.step('Broker 2 comes back, and gets its users as their sockets come of age.');
  await second.start();
  await lines.until('broker 2 has its share again', () => settled(first, second, third));
  await lines.looks(4);

  lines.step(`A session of ${guest} is closed at broker 1, and asked for at broker 3.`);
  console.log(await endedEverywhere(first, third, token, guest));
  await lines.looks(2);
}

/**
 * @param {import('./brokers.mjs').Broker} here @param {import('./brokers.mjs').Broker} there
 * @param {string} token @param {string} user
 */
async function endedEverywhere(here, there, token, user) {
  const [near, far] = [here, there].map(({ url }) => createClient({ url, token }));
  if (!near || !far) throw new Error('A session is ended at a broker and asked for at another.');
  try {
    const { session } = await near.session.open({ server: 'demo', user, auth: { password } });
    await far.mailbox.list({ session });
    const begun = performance.now();
    await near.session.close({ session });
    for (;;) {
      const refusal = await far.mailbox.list({ session }).then(
        () => undefined,
        (/** @type {unknown} */ error) => error,
      );
      const took = performance.now() - begun;
      if (refusal instanceof RpcError && refusal.kind === 'SESSION_EXPIRED') {
        return `It had answered there before; ${duration(took)} after the end it is refused with ${refusal.kind}.`;
      }
      if (refusal !== undefined) throw refusal;
      if (took > ENDED_MS) throw new Error(`A session that was ended at ${here.name} still answers at ${there.name}.`);
      await sleep(ASK_MS);
    }
  } finally {
    near.close();
    far.close();
  }
}
