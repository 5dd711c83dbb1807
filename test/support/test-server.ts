import type { Dovecot } from './dovecot.js';

/** What tests need of a real mail server, whichever it is. */
export type TestServer = Pick<Dovecot, 'plainPort' | 'password' | 'user' | 'server' | 'stop'>;
