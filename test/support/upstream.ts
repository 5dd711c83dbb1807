import { createSecureContext } from 'node:tls';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import { certificates } from './certificates.js';

/** How the broker reaches a test server on 127.0.0.1: it trusts the test authority, and waits less long than in earnest. */
export function upstream(name: string, port: number, overrides: Partial<ServerOptions> = {}): ServerOptions {
  return {
    name,
    host: '127.0.0.1',
    port,
    tls: 'implicit',
    servername: 'localhost',
    secureContext: createSecureContext({ ca: certificates().ca }),
    compress: false,
    connectTimeoutMs: 5_000,
    loginTimeoutMs: 10_000,
    loginsPerSecond: 1000,
    maxLiteralBytes: 64 * 1024 * 1024,
    ...overrides,
  };
}
