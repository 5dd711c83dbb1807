import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { AnsweredError, RawClient, runBroker } from '../support/running-broker.js';

const USERS = 1000;
/** How often each opens a session with either password. */
const TRIES = 3;
/** Users at once: Dovecot's own processes are what takes the time. */
const AT_ONCE = 25;

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let client: RawClient;
beforeAll(async () => {
  dovecot = await Dovecot.start({ authFailureDelaySeconds: 0 });
  broker = await runBroker(dovecot, { pool: { connections: 400, connectionsPerServer: 400, idleMs: 1_000 } });
  client = await RawClient.open(broker.url);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
});

function open(user: string, password: string): Promise<string> {
  const params = { server: 'dovecot', user, auth: { password } };
  return client.call('session.open', { ...params, timeoutMs: 60_000 }).then(
    () => 'opened',
    (error: unknown) => (error instanceof AnsweredError ? error.data.kind : String(error)),
  );
}

describe('a thousand users with a right and a wrong password each', () => {
  it('cost one login and one refused login each, however often they try, at once or one after the other', async () => {
    const users = Array.from({ length: USERS }, () => newUser('login'));
    const visit = async (user: string) => {
      const atOnce = [PASSWORD, 'wrong', PASSWORD, 'wrong'].map((password) => open(user, password));
      const answers = await Promise.all(atOnce);
      for (let more = 2; more < TRIES; more += 1) {
        answers.push(await open(user, PASSWORD), await open(user, 'wrong'));
      }
      return answers;
    };
    const answers: string[][] = [];
    const waiting = [...users];
    const worker = async () => {
      for (let user = waiting.pop(); user; user = waiting.pop()) answers.push(await visit(user));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(answers).toHaveLength(USERS);
    const wanted = Array.from({ length: TRIES * 2 }, (_, index) => (index % 2 === 0 ? 'opened' : 'IMAP_AUTH_FAILED'));
    for (const one of answers) expect(one).toEqual(wanted);
    const refused = async () => (await dovecot.log()).match(/auth failed, 1 attempts/g)?.length ?? 0;
    await expect.poll(refused).toBe(USERS);
    await expect.poll(() => dovecot.logins()).toBe(USERS);
  }, 240_000);
});
