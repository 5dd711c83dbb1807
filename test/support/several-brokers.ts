import { expect } from 'vitest';
import type { BrokerOptions } from '../../src/broker/options.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import type { Dovecot } from './dovecot.js';
import { RawClient, runBroker, TOKEN } from './running-broker.js';

const ADMIN = 'a-token-of-an-operator-for-tests';
/** Milliseconds within which all of several brokers know of an end. */
export const WITHIN = { timeout: 2_000, interval: 20 };

/** One of several brokers, a client and an operator of it, and whether a session is open there. */
export async function oneOfSeveral(dovecot: Dovecot, options: Partial<BrokerOptions>) {
  const broker = await runBroker(dovecot, {
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'ops', tokenHashes: [hashToken(ADMIN)], scopes: ['admin'] }),
    ],
    ...options,
  });
  const client = await RawClient.open(broker.url);
  const operator = await RawClient.open(broker.url, ADMIN);
  const isIn = (session: string) =>
    client.call('session.info', { session }).then(
      () => true,
      (error: { data: { kind: string } }) => {
        expect(error.data.kind).toBe('SESSION_EXPIRED');
        return false;
      },
    );
  return { broker, client, operator, isIn };
}
