import { onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/imap/server-options.js';
import type { Account } from '../../src/pool/account.js';
import type { Connect } from '../../src/pool/account-host.js';
import type { Job } from '../../src/pool/job.js';
import { Registry } from '../../src/pool/registry.js';
import { defaultPoolLimits, type PoolLimits } from '../../src/pool/slots.js';
import { newUser, PASSWORD } from '../support/dovecot.js';

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

function signal(): [() => void, Promise<void>] {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return [give, given];
}
