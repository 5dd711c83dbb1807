import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { subprotocol } from '../protocol/limits.js';
import type { Tenant } from '../session/tenant.js';
import { tenantOf } from '../session/tenants.js';
import { isSameOrigin, pageToken } from './page-token.js';

/** What decides on an upgrade. */
export interface Admission {
  tenants: readonly Tenant[];
  allowedOrigins: readonly string[];
  /** `undefined` with TLS, where the certificate has told the client that it reached the right host. */
  allowedHosts: readonly string[] | undefined;
  /** Whether there are as many sockets as there may be. */
  full: boolean;
  /** Whether a tenant has as many sockets as it may have. */
  isFull(tenant: Tenant): boolean;
  /** Common name of the client's certificate, if it showed one that was verified. */
  certificateName: string | undefined;
  /** The tenant of clients without token and certificate, where only operators can open the listener's socket. */
  defaultTenant: Tenant | undefined;
  /** Lets in only the page that the listener itself serves, for operators. */
  pageOnly: boolean;
}

/** Why an upgrade is refused. */
export interface Refusal {
  status: number;
  message: string;
}

/** Decides on an upgrade by its headers; the cheap questions come first. */
export function admitCaller(headers: IncomingHttpHeaders, admission: Admission): { tenant: Tenant } | Refusal {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  if (!offered.includes(subprotocol))
    return { status: 400, message: `Offer the WebSocket subprotocol ${subprotocol}.` };
  const { origin, host } = headers;
  const { pageOnly } = admission;
  const tls = admission.allowedHosts === undefined;
  if (
    pageOnly ? !isSameOrigin(origin, host, tls) : origin !== undefined && !admission.allowedOrigins.includes(origin)
  ) {
    return { status: 403, message: 'This Origin is not allowed.' };
  }
  if (!isOurs(host, admission.allowedHosts)) {
    return { status: 403, message: 'This Host is not allowed.' };
  }
  const tenant = pageOnly
    ? tenantOf(admission.tenants, pageToken(offered) ?? '')
    : tenantShown(headers, offered, admission);
  if (!tenant) return { status: 401, message: 'The bearer token is missing or unknown.' };
  if (pageOnly && !tenant.scopes.includes('admin'))
    return { status: 403, message: 'This token has not the scope "admin".' };
  if (admission.full || admission.isFull(tenant))
    return { status: 503, message: 'There are too many sockets; try again later.' };
  return { tenant };
}

/** The tenant that shows a bearer token or a certificate, or needs none here. */
function tenantShown(
  { authorization = '' }: IncomingHttpHeaders,
  offered: readonly string[],
  { tenants, certificateName, defaultTenant }: Admission,
): Tenant | undefined {
  // A page's token at a listener that takes none is a mistake, whatever else is shown.
  if (pageToken(offered) !== undefined) return undefined;
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  return token === undefined ? (certifiedTenant(tenants, certificateName) ?? defaultTenant) : tenantOf(tenants, token);
}

/** A web page can make its own name point to this machine (DNS rebinding): names that are not known are refused. */
export function isOurs(host: string | undefined, allowed: readonly string[] | undefined): boolean {
  if (allowed === undefined || host === undefined) return true;
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isIP(name) > 0 || allowed.includes(name);
}

function certifiedTenant(tenants: readonly Tenant[], name: string | undefined): Tenant | undefined {
  return name === undefined ? undefined : tenants.find(({ certificateNames }) => certificateNames.includes(name));
}

/** Answers an upgrade with a refusal and ends the connection. */
export function refuseUpgrade(socket: Duplex, { status, message }: Refusal): void {
  const body = JSON.stringify({ status, message });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
  ];
  socket.on('error', () => socket.destroy());
  // A peer that keeps its side open must not keep ours.
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
