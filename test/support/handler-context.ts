import { ImapConnection } from '../../src/imap/connection/connection.js';
import type { Credentials, ServerOptions } from '../../src/imap/login/server-options.js';
import type { AccountRunner, IncomingStream, OutgoingStream, SessionContext } from '../../src/methods/context.js';
import { Idempotency } from '../../src/methods/support/idempotency.js';
import { ServerFacts } from '../../src/methods/support/server-facts.js';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import type { MethodName } from '../../src/protocol/contract.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { tenantWith } from '../../src/session/tenant.js';
import { Views } from '../../src/view/views.js';
import { testServices } from './test-services.js';

const lease = { extend: () => {}, wanted: new AbortController().signal };

/** An account of one real connection and no pool, so that a handler's test starts quickly and shows its IMAP alone. */
export async function directAccount(
  server: ServerOptions,
  credentials: Credentials,
): Promise<AccountRunner & { connection: ImapConnection; close(): Promise<void> }> {
  const connection = await ImapConnection.open('test', server, credentials);
  let last: Promise<unknown> = Promise.resolve();
  return {
    key: `test/${server.name}/${credentials.user}`,
    connection,
    // One at a time, as a lease sees to.
    run: (_job, work) => {
      const done = last.then(() => work(connection, lease));
      last = done.catch(() => {});
      return done;
    },
    slots: new NewestInSlot(),
    share: async (_key, _job, work) => ({ value: await work(connection, lease), coalesced: false }),
    close: () => connection.logout(1000),
  };
}

/** Collects what a handler streams out. */
export class CollectedStream implements OutgoingStream {
  readonly id = 2;
  readonly controller = new AbortController();
  readonly chunks: Uint8Array[] = [];
  readonly finished: Promise<Buffer>;
  #resolve!: (bytes: Buffer) => void;
  #reject!: (error: unknown) => void;

  constructor() {
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.finished.catch(() => {});
  }
  get signal(): AbortSignal {
    return this.controller.signal;
  }
  async write(bytes: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    // A copy, which `slice` of a Buffer is not.
    this.chunks.push(Uint8Array.from(bytes));
  }
  end(): void {
    this.#resolve(Buffer.concat(this.chunks));
  }
  abort(error: unknown): void {
    this.#reject(error);
  }
}

/** The context that a handler gets, with an outgoing stream that is collected and an upload that is given. */
export function handlerContext(
  method: MethodName,
  account: AccountRunner,
  options: { upload?: AsyncIterable<Uint8Array>; signal?: AbortSignal; timeoutMs?: number; appendBytes?: number } = {},
): SessionContext & { outgoing: CollectedStream } {
  const outgoing = new CollectedStream();
  const [, server = '', user = ''] = account.key.split('/');
  return {
    method,
    account,
    outgoing,
    session: {
      tenant: 'test',
      server,
      user,
      accountKey: account.key,
      id: 'session',
      secret: { password: '' },
      openedAt: Date.now(),
      line: 'test',
      generation: 0,
      renewals: 0,
      expiresAt: Date.now() + 60_000,
      endsAt: Date.now() + 600_000,
    },
    signal: options.signal ?? new AbortController().signal,
    deadlineAt: Date.now() + (options.timeoutMs ?? 15_000),
    tenant: tenantWith({ name: 'test' }),
    streams: {
      open: () => outgoing,
      accept: (id): IncomingStream => {
        if (!options.upload) throw new BrokerError('INVALID_PARAMS', 'no upload in this test');
        const upload = options.upload;
        return { id, abort: () => {}, [Symbol.asyncIterator]: () => upload[Symbol.asyncIterator]() };
      },
    },
    events: { subscriber: { send: () => {}, overrun: () => {}, onClose: () => {} }, whenSettled: () => {} },
    services: testServices({
      version: '0.0.0-test',
      name: 'test',
      views: new Views(),
      idempotency: new Idempotency(),
      facts: new ServerFacts(),
      limits: {
        now: { appendBytes: options.appendBytes ?? 50 * 1024 * 1024, connectionsPerAccount: 3, queuePerAccount: 100 },
      },
    }),
  };
}
