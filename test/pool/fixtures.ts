import { onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import type { Account } from '../../src/pool/account.js';
import type { Connect } from '../../src/pool/account-host.js';
import type { Job } from '../../src/pool/job.js';
import { defaultPoolLimits, type PoolLimits } from '../../src/pool/pool-limits.js';
import { Registry } from '../../src/pool/registry.js';
import { newUser, PASSWORD } from '../support/dovecot.js';
import type { FakeConnection } from './fake-server.js';

/** A registry that ends with the test. */
export function registryWith(limits: Partial<PoolLimits> = {}, connect?: Connect): Registry {
  const registry = new Registry(
    { ...defaultPoolLimits, acquireTimeoutMs: 5_000, ...limits },
    connect ? { connect } : {},
  );
  onTestFinished(() => registry.closeAll(0));
  return registry;
}

export const job = (overrides: Partial<Job> = {}): Job => ({
  label: 'test',
  effect: 'read',
  signal: new AbortController().signal,
  deadlineAt: Date.now() + 10_000,
  ...overrides,
});

/** Logs a user in. */
export function proven(
  registry: Registry,
  server: ServerOptions,
  { user = newUser(), password = PASSWORD, ...overrides }: { user?: string; password?: string } & Partial<Job> = {},
): Promise<Account> {
  return registry.prove({ tenant: 't', server, user }, { user, password }, job(overrides));
}

/** Work that holds its connection until it is told to end. */
export function held(): { work: () => Promise<void>; begun: Promise<void>; end: () => void } {
  const [begin, begun] = signal();
  const [end, ended] = signal();
  const work = () => {
    begin();
    return ended;
  };
  return { work, begun, end };
}

/** Has a job hold a connection, on which a folder is selected then; resolves when it has it. */
export async function holding(
  account: Account,
  overrides: Partial<Job> = {},
): Promise<{ connection: FakeConnection; end: () => Promise<void> }> {
  const { work, begun, end } = held();
  let lent: unknown;
  const running = account.run(job(overrides), async (connection) => {
    lent = connection;
    (lent as FakeConnection).selected = overrides.mailbox === undefined ? undefined : { path: overrides.mailbox };
    await work();
  });
  await begun;
  return {
    connection: lent as FakeConnection,
    end: () => {
      end();
      return running;
    },
  };
}

/** Has a watch hold a connection until it is wanted. */
export async function watching(account: Account, overrides: Partial<Job> = {}) {
  const { work, begun, end } = held();
  let lent: unknown;
  let asked = false;
  const running = account.run(
    job({ lane: 'watch', deadlineAt: Number.POSITIVE_INFINITY, ...overrides }),
    async (connection, { wanted }) => {
      lent = connection;
      if (overrides.mailbox !== undefined) (lent as FakeConnection).selected = { path: overrides.mailbox };
      wanted.addEventListener('abort', () => {
        asked = true;
        end();
      });
      if (wanted.aborted) end();
      await work();
    },
  );
  running.catch(() => {});
  await begun;
  return {
    connection: lent as FakeConnection,
    get asked() {
      return asked;
    },
    ended: running,
    end: () => {
      end();
      return running;
    },
  };
}

function signal(): [() => void, Promise<void>] {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return [give, given];
}
