import { pino } from 'pino';
import { Broker } from '../../src/broker/broker.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { upstream } from './upstream.js';

/** A broker with a monitor whose IMAP server was never started. */
export function idleBroker(): Promise<Broker> {
  return Broker.start({
    listeners: [{ host: '127.0.0.1', port: 0 }],
    monitor: { host: '127.0.0.1', port: 0 },
    tenants: [tenantWith({ name: 'webmail', tokenHashes: [hashToken('token')] })],
    servers: [upstream('main', 1)],
    log: pino({ level: 'silent' }),
  });
}
