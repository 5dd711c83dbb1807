import type { SecureContext } from 'node:tls';

/** How to reach one IMAP server. The configuration names it; requests never carry a host. */
export interface ServerOptions {
  name: string;
  host: string;
  port: number;
  /** `implicit`: TLS from the first byte; `starttls`: required, never skipped; `none`: only if the operator says so. */
  tls: 'implicit' | 'starttls' | 'none';
  /** Name that the certificate must carry; default: `host`. */
  servername?: string | undefined;
  /** Shared by all connections to this server: one per connection costs 60 KiB more. */
  secureContext?: SecureContext | undefined;
  /** COMPRESS=DEFLATE costs 250 KiB a connection. */
  compress: boolean;
  /** Milliseconds for TCP, TLS and greeting each. */
  connectTimeoutMs: number;
  /** Milliseconds for the login, in addition to the unused time of TCP, TLS and greeting. */
  loginTimeoutMs: number;
  /** Most logins that are begun per second. */
  loginsPerSecond: number;
  /** Largest single literal that is read, in bytes. */
  maxLiteralBytes: number;
}

/** What authenticates a user at the IMAP server; `expiresAt` in milliseconds since 1970. */
export type Credentials = {
  user: string;
  /** Address of the client that the login is for, sent by ID (RFC 2971) for servers that trust the broker. */
  clientIp?: string | undefined;
} & ({ password: string } | { accessToken: string; expiresAt?: number | undefined });

/** When credentials expire, in milliseconds since 1970; `undefined` for passwords, and where that is not known. */
export function tokenEnd(credentials: Credentials | undefined): number | undefined {
  return credentials && 'accessToken' in credentials ? credentials.expiresAt : undefined;
}
