import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import type { Account } from '../../src/pool/account.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { Registry } from '../../src/pool/registry.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { upstream } from '../support/upstream.js';
import { type FakeConnection, FakeServers, type LoginOutcome } from './fake-server.js';
import { job } from './fixtures.js';

const CAPS = { connectionsPerAccount: 2, connectionsPerServer: 3, connections: 4 };
const SERVERS = ['one', 'two'].map((name) => upstream(name, 1, { tls: 'none', secureContext: undefined }));
const USERS = ['alice', 'bob', 'carol'];

const who = { server: fc.nat(SERVERS.length - 1), user: fc.nat(USERS.length - 1) };
const ops = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ op: fc.constant('prove' as const), ...who }) },
    {
      weight: 12,
      arbitrary: fc.record({
        op: fc.constant('run' as const),
        ...who,
        effect: fc.constantFrom('read' as const, 'write' as const),
        lane: fc.constantFrom('interactive' as const, 'interactive' as const, 'bulk' as const, 'watch' as const),
        mailbox: fc.constantFrom('A', 'B', undefined),
        slot: fc.constantFrom('x', 'y', undefined, undefined),
        work: fc.constantFrom('done', 'slow', 'throws', 'loses', 'litters', 'hangs'),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant('share' as const),
        ...who,
        key: fc.constantFrom('list', 'get'),
        maxAgeMs: fc.constantFrom(0, 60_000),
        slot: fc.constantFrom('x', undefined),
        work: fc.constantFrom('done', 'slow', 'throws', 'loses', 'hangs'),
      }),
    },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('abort' as const), which: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('drop' as const), which: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), ...who }) },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('logins' as const),
        outcome: fc.constantFrom<LoginOutcome[]>('ok', 'ok', 'ok', 'unavailable', 'refused', 'hang'),
        turns: fc.integer({ min: 1, max: 5 }),
      }),
    },
    { weight: 6, arbitrary: fc.record({ op: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 10 }) }) },
  ),
  { minLength: 40, maxLength: 120, size: 'max' },
);

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const enough = new BrokerError('CANCELLED', 'enough');
const EXPECTED =
  /^(CANCELLED|SUPERSEDED|DEADLINE|DRAINING|UPSTREAM_UNAVAILABLE|IMAP_AUTH_FAILED|CONNECTION_LOST|POOL_EXHAUSTED|INTERNAL)$/;

type Op = (typeof ops extends fc.Arbitrary<infer T> ? T : never)[number];

/** Does work on a connection that no other job may have at the same time. */
async function workOn(connection: ImapConnection, kind: string, mailbox?: string, wanted?: AbortSignal) {
  const fake = connection as unknown as FakeConnection;
  expect(fake.held).toBe(false);
  expect(fake.usable).toBe(true);
  expect(fake.quiet).toBe(true);
  fake.held = true;
  if (mailbox !== undefined) fake.selected = { path: mailbox };
  try {
    if (kind === 'hangs') while (fake.usable) await tick();
    while (wanted && !wanted.aborted && fake.usable) await tick();
    await tick();
    if (kind === 'slow') for (let turn = 0; turn < 5; turn += 1) await tick();
    if (kind === 'throws') throw new BrokerError('INTERNAL', 'defect');
    if (kind === 'loses') fake.close();
    if (kind === 'litters') fake.quiet = false;
    if (!fake.usable) throw new BrokerError('CONNECTION_LOST', 'lost', { executed: 'maybe' });
    return kind;
  } finally {
    fake.held = false;
  }
}

async function storm(steps: readonly Op[]): Promise<void> {
  const fakes = new FakeServers();
  const limits = { ...defaultPoolLimits, ...CAPS, queuePerAccount: 5, acquireTimeoutMs: 200, logoutMs: 50 };
  const registry = new Registry(limits, { connect: fakes.connect });
  const answers: Promise<unknown>[] = [];
  const aborts: AbortController[] = [];
  const accounts = new Map<string, Account>();
  const aborted = () => {
    const controller = new AbortController();
    aborts.push(controller);
    return controller.signal;
  };
  const check = () => {
    const stats = [...registry.stats.values()];
    for (const { idle, busy, watching, connecting, waiting } of stats) {
      expect(Math.min(idle, busy, watching, connecting, waiting)).toBeGreaterThanOrEqual(0);
      expect(idle + busy + watching + connecting).toBeLessThanOrEqual(CAPS.connectionsPerAccount);
      expect(waiting).toBeLessThanOrEqual(limits.queuePerAccount + CAPS.connectionsPerAccount);
    }
    expect(registry.caps.total).toBeGreaterThanOrEqual(fakes.live.get('all') ?? 0);
  };
  const everybody = SERVERS.flatMap((_, server) =>
    USERS.map((_name, user) => ({ op: 'prove' as const, server, user })),
  );
  for (const step of [...everybody, { op: 'wait' as const, turns: 60 }, ...steps]) {
    if (step.op === 'prove') {
      const name = { tenant: 't', server: SERVERS[step.server] as (typeof SERVERS)[0], user: USERS[step.user] ?? '' };
      const proof = registry.prove(name, { user: name.user, password: 'x' }, job({ signal: aborted() }));
      answers.push(proof.then((account) => accounts.set(`${step.server} ${step.user}`, account)));
    } else if (step.op === 'run') {
      const { effect, work, lane, mailbox, slot } = step;
      const account = accounts.get(`${step.server} ${step.user}`);
      const it = job({ effect, lane, mailbox, slot, signal: aborted() });
      if (lane === 'watch') it.deadlineAt = Number.POSITIVE_INFINITY;
      const running = account?.run(it, (connection, { wanted }) =>
        workOn(connection, work, mailbox, lane === 'watch' ? wanted : undefined),
      );
      if (running) answers.push(running);
    } else if (step.op === 'share') {
      const { work, key, maxAgeMs, slot } = step;
      const account = accounts.get(`${step.server} ${step.user}`);
      const it = job({ slot, signal: aborted() });
      if (account) answers.push(account.share(key, it, (connection) => workOn(connection, work), { maxAgeMs }));
    } else if (step.op === 'abort') {
      aborts[step.which % aborts.length]?.abort(enough);
    } else if (step.op === 'drop') {
      [...fakes.open][step.which]?.close();
    } else if (step.op === 'close') {
      const account = accounts.get(`${step.server} ${step.user}`);
      if (account) answers.push(registry.close(account.key));
    } else if (step.op === 'logins') {
      fakes.outcome = step.outcome;
      fakes.turns = step.turns;
    } else {
      for (let turn = 0; turn < step.turns; turn += 1) await tick();
    }
    for (const answer of answers) answer.catch(() => {});
    check();
  }
  // What hangs is ended by the caller that asked for it; everything else ends by itself.
  for (const controller of aborts) if (steps.length % 2) controller.abort(enough);
  await tick();
  await registry.closeAll(20);
  const outcomes = await Promise.allSettled(answers);
  const kinds = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  for (const reason of kinds) expect(reason.kind ?? reason).toMatch(EXPECTED);
  expect(registry.caps.total).toBe(0);
  expect(fakes.live.get('all') ?? 0).toBe(0);
  expect(fakes.most.get('all') ?? 0).toBeLessThanOrEqual(CAPS.connections);
  for (const [name, most] of fakes.most) {
    if (name.startsWith('server')) expect(most).toBeLessThanOrEqual(CAPS.connectionsPerServer);
    if (name.startsWith('user')) expect(most).toBeLessThanOrEqual(CAPS.connectionsPerAccount);
  }
}

describe('whatever happens in whatever order', () => {
  it('no cap is exceeded, no connection has two holders, everybody is answered, and nothing is left', async () => {
    await fc.assert(fc.asyncProperty(ops, storm), { numRuns: 150, interruptAfterTimeLimit: 12_000 });
  }, 30_000);
});
