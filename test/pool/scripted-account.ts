import { onTestFinished } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import type { Account } from '../../src/pool/account.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { type ScriptedOptions, startScriptedServer } from '../support/scripted-server.js';
import { held, job, registryWith } from './fixtures.js';

export const select = (connection: ImapConnection) => connection.select('INBOX', { fresh: true });

/** A server that takes LOGIN, so that a test sees for whom, and a registry that knows nothing yet. */
export async function scripted(options: ScriptedOptions = {}) {
  const server = await startScriptedServer({ capabilities: 'IMAP4rev1 ID NAMESPACE IDLE UIDPLUS', ...options });
  onTestFinished(() => server.close());
  const registry = registryWith({ acquireTimeoutMs: 30_000 });
  return { server, registry };
}

/** Has a job hold a connection on which INBOX is selected. */
export async function busy(account: Account): Promise<{ end: () => Promise<void> }> {
  const { work, begun, end } = held();
  const running = account.run(job(), async (connection) => {
    await select(connection);
    await work();
  });
  await begun;
  return {
    end: () => {
      end();
      return running;
    },
  };
}

/** What a promise is rejected with, which must be an error for callers. */
export async function errorOf(promise: Promise<unknown>): Promise<BrokerError> {
  const error: unknown = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof BrokerError)) throw new Error('It did not fail as it should.', { cause: error });
  return error;
}
