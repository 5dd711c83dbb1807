import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { type Client, type ClientOptions, createClient, type WatchOptions } from '../../src/client/index.js';
import type { HostileBroker, HostileSocket } from '../support/hostile-broker.js';

/** A client of a hostile broker, which ends with the test. */
export function clientOf(broker: HostileBroker, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url: broker.url, token: 'good', ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Does what the test says with the first request, and answers all others honestly. */
export function misbehaveOnce(broker: HostileBroker, misbehave: (socket: HostileSocket, id: number) => void): void {
  broker.onRequest = (request, socket) => {
    broker.reform();
    misbehave(socket, request.id);
  };
}

/** Fails a test file in which Node warns of anything, such as a leak of listeners or a timer that is too long. */
export function expectNoWarnings(): void {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  beforeAll(() => void process.on('warning', onWarning));
  afterAll(() => {
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
}

export async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** The message that the hostile broker has. */
export const named = { session: 's', mailbox: 'INBOX', uidValidity: 1, uid: 1 };
/** A watch that it takes. */
export const watching: WatchOptions = { session: 's', mailboxes: ['INBOX'], onEvent: () => {}, onResync: () => {} };
