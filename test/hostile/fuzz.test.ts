import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram } from '../cli/built.js';
import { HostileArena } from '../support/hostile-arena.js';
import { octets } from '../support/hostile-bytes.js';
import type { HostileHandler, Hostility } from '../support/hostile-imap.js';
import { everyRequest } from './every-request.js';
import { condition, untagged } from './responses.js';
import { faultsOf } from './run-case.js';

/** Responses that are made up in all: a few seconds of them, or as many as FUZZ_RUNS says. */
const RESPONSES = Number(process.env.FUZZ_RUNS ?? 500);
/** Insertions of one run, of about two responses each. */
const PER_RUN = 12;
const RUNS = Math.ceil(RESPONSES / (PER_RUN * 2));
/** Deadline of each request, in milliseconds. */
const TIMEOUT_MS = 3000;
/** A client that waits for octets that never come is left alone after so many milliseconds. */
const PATIENCE_MS = 150;
const LONGEST_WAIT_MS = 1000;
/** Servers whose logins are attacked; after a failed login the broker leaves such a server alone for a while. */
const LOGIN_SERVERS = 10;

/** How the answer to one command is spoilt. */
interface Insertion {
  how: 'before' | 'after' | 'instead' | 'tagged' | 'end' | 'none';
  responses: string[];
  condition: string;
}
const insertion: fc.Arbitrary<Insertion> = fc.record({
  how: fc.constantFrom('before', 'before', 'before', 'before', 'after', 'instead', 'tagged', 'end', 'none'),
  responses: fc.array(untagged, { minLength: 1, maxLength: 3 }),
  condition,
});

/** Insertions that are still to be made, of the server that is attacked now. */
let waiting: Insertion[] = [];
let made = 0;

const spoil: HostileHandler = async (command, connection, server) => {
  const next = waiting.shift();
  if (!next) return server.answer(command, connection);
  const { how, responses } = next;
  const wrong = octets(responses.join(''));
  made += how === 'none' ? 0 : responses.length;
  if (how === 'before' || how === 'instead' || how === 'end') connection.raw(wrong);
  if (how === 'tagged') connection.raw(octets(`${command.tag} ${next.condition}\r\n`));
  if (how === 'instead') connection.ok(command);
  if (how === 'end') connection.end();
  if (how === 'before' || how === 'after' || how === 'none') await server.answer(command, connection);
  if (how === 'after') connection.raw(wrong);
  const heard = server.scripted.received.length;
  setTimeout(() => {
    // It may wait for the rest of a literal: no client can know that nothing will come.
    if (connection.open && server.scripted.received.length === heard) connection.end();
  }, PATIENCE_MS);
};
const spoilt = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, spoil]));
const login = ['CAPABILITY', 'ID', 'NAMESPACE', 'ENABLE', 'AUTHENTICATE', 'LOGIN'];
const others = [
  ...['NOOP', 'LIST', 'LSUB', 'STATUS', 'SELECT', 'EXAMINE', 'UNSELECT', 'CLOSE', 'APPEND', 'GETQUOTAROOT', 'IDLE'],
  ...['GETQUOTA', 'GETACL', 'MYRIGHTS', 'GETMETADATA'],
  ...['SEARCH', 'UID SEARCH', 'UID SORT', 'UID THREAD', 'FETCH', 'UID FETCH', 'UID STORE', 'UID COPY', 'UID MOVE'],
];
const offers = [
  '',
  'CONDSTORE QRESYNC ESEARCH SORT THREAD=REFERENCES QUOTA LIST-EXTENDED LIST-STATUS PREVIEW',
  'X-GM-EXT-1 ACL METADATA BINARY QUOTA OBJECTID',
];

const servers: [string, Hostility][] = [
  ...offers.map((some, index): [string, Hostility] => [`fuzz-${index}`, { offers: some, on: spoilt(others) }]),
  ...Array.from({ length: LOGIN_SERVERS }, (_, index): [string, Hostility] => [
    `login-${index}`,
    { on: spoilt([...login, ...others]) },
  ]),
];

describe('whatever a server answers', () => {
  let arena: HostileArena;
  let users = 0;
  beforeAll(async () => {
    arena = await HostileArena.start(builtProgram(), new Map(servers));
  }, 60_000);
  afterAll(() => arena?.stop());

  /** Problems of a run of all requests at one server, in the order of the insertions. */
  async function attack(name: string, insertions: readonly Insertion[]): Promise<string[]> {
    users += 1;
    const user = { server: name, user: `mallory-${users}`, auth: { password: 'of-mallory' } };
    const atLogin = name.startsWith('login');
    waiting = atLogin ? [...insertions] : [];
    const opened = await arena.client.request('session.open', user, TIMEOUT_MS);
    const problems = faultsOf({ method: 'session.open', ends: 'any' }, opened);
    const { session } = (opened.result ?? {}) as { session?: string };
    if (session === undefined) return problems;
    if (!atLogin) waiting = [...insertions];
    for (const step of everyRequest) {
      const outcome = await arena.client.request(step.method, { session, ...step.params }, TIMEOUT_MS);
      problems.push(...faultsOf({ ...step, ends: 'any' }, outcome));
    }
    waiting = [];
    await arena.client.request('session.close', { session }, TIMEOUT_MS);
    return problems;
  }

  it(
    'the broker lives, answers each request in JSON by the contract, and others are served',
    async () => {
      const name = fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('fuzz-0', 'fuzz-1', 'fuzz-2') },
        { weight: 1, arbitrary: fc.nat({ max: LOGIN_SERVERS - 1 }).map((index) => `login-${index}`) },
      );
      const insertions = fc.array(insertion, { minLength: PER_RUN, maxLength: PER_RUN });
      await fc.assert(
        fc.asyncProperty(name, insertions, async (server, spoiling) => {
          if (!arena.running) await arena.renew();
          const faults = arena.client.faults.length;
          arena.healthy.start();
          const problems = await attack(server, spoiling);
          const { longestMs, ownMs, failed } = await arena.healthy.stop();
          problems.push(...arena.client.faults.slice(faults));
          if (!arena.running) problems.push(`the broker ended: ${JSON.stringify(arena.log().slice(-3))}`);
          expect({ problems, failed }).toEqual({ problems: [], failed: 0 });
          expect(longestMs - ownMs, 'the longest wait of the healthy user').toBeLessThan(LONGEST_WAIT_MS);
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
      expect(made, 'responses that were made up').toBeGreaterThan(RESPONSES / 4);
    },
    60_000 + RUNS * 5000,
  );
});
