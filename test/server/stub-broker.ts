import type { RequestListener } from 'node:http';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Handlers, RequestContext, Services } from '../../src/methods/context.js';
import type { Registry } from '../../src/pool/registry.js';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { Listeners } from '../../src/runtime/listeners.js';
import { createLog } from '../../src/runtime/log/log.js';
import { defaultSocketLimits, type SocketLimits } from '../../src/server/limits.js';
import { type ListenAddress, Listener } from '../../src/server/listener.js';
import type { Answered } from '../../src/server/request-record.js';
import type { Session } from '../../src/session/session.js';
import { type Tenant, tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { emptySessions, testServices } from '../support/test-services.js';
import { RawClient, type RawOptions } from './raw-client.js';

export type StubHandler = (context: RequestContext, params: Record<string, unknown>) => Promise<unknown>;

export interface StubOptions {
  handlers?: Partial<Record<MethodName, StubHandler>>;
  limits?: Partial<SocketLimits>;
  allowedOrigins?: string[];
  listen?: ListenAddress;
  onRequest?: RequestListener;
  checkResults?: boolean;
  tenants?: Tenant[];
  services?: Partial<Services>;
}

/** A listener whose handlers are the test's own, so that a test of the transport needs no IMAP server. */
export async function stubBroker(options: StubOptions = {}) {
  const logged: Array<Record<string, unknown>> = [];
  const log = createLog(
    'debug',
    new Writable({
      write(line: Buffer, _encoding, done) {
        logged.push(JSON.parse(line.toString()) as Record<string, unknown>);
        done();
      },
    }),
  );
  const limits = { ...defaultSocketLimits, ...options.limits };
  const answered = new Listeners<Answered>();
  const listener = new Listener({
    socket: {
      handlers: handlersOf(options),
      services: { ...stubServices, ...options.services },
      limits: { now: limits },
      log,
      answered,
      standstill: { check: () => {} },
      checkResults: options.checkResults ?? false,
    },
    tenants: options.tenants ?? [
      tenantWith({
        name: 'shop',
        tokenHashes: [hashToken('good'), hashToken('next.good')],
        scopes: ['user', 'admin'],
      }),
      tenantWith({ name: 'other', tokenHashes: [hashToken('other')] }),
    ],
    allowedOrigins: options.allowedOrigins ?? [],
    allowedHosts: ['broker.internal'],
    ...(options.onRequest ? { onRequest: options.onRequest } : {}),
  });
  onTestFinished(() => listener.close());
  const url = await listener.listen(options.listen ?? { host: '127.0.0.1', port: 0 });
  return { listener, url, logged, answered, connect: (raw?: RawOptions) => RawClient.open(url, raw) };
}

/** Something that happens once, and that a test waits for. */
export function signal<T = void>() {
  let fire: (value: T) => void = () => {};
  const fired = new Promise<T>((resolve) => {
    fire = resolve;
  });
  return { fired, fire };
}

export const session: Session = {
  tenant: 'shop',
  server: 'main',
  user: 'anna',
  id: 'one',
  secret: { password: 'p' },
  accountKey: 'k',
  openedAt: 0,
  line: 'test',
  generation: 0,
  renewals: 0,
  expiresAt: Date.now() + 86_400_000,
  endsAt: 0,
};

export const stubServices = testServices({
  sessions: {
    ...emptySessions,
    open: async () => ({ token: 'live', session }),
    renew: async () => ({ token: 'live', session }),
    resolve: async (tenant: string, token: string) => {
      if (token === 'live' && tenant === 'shop') return session;
      throw new BrokerError('SESSION_EXPIRED', 'session: unknown', { field: 'session' });
    },
  },
  registry: { get: () => ({ key: 'k', admits: () => true }), giveBack: () => {} } as unknown as Registry,
  version: '1.2.3',
  name: 'stub',
  epoch: 'e1',
  limits: { now: { connectionsPerAccount: 3, queuePerAccount: 10, appendBytes: 1000 } },
});

function handlersOf({ handlers = {} }: StubOptions): Handlers {
  const echo: StubHandler = async (_context, params) => ({ params });
  const names = Object.keys(contract) as MethodName[];
  return Object.fromEntries(names.map((name) => [name, handlers[name] ?? echo])) as unknown as Handlers;
}
