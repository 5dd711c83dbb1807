import { ImapFlow } from 'imapflow';
import { BrokerError } from '../../protocol/errors.js';
import type { Carrier } from '../wire/carrier.js';
import { throttlePause } from '../wire/errors.js';
import { connectError } from './failures.js';
import { loginOptions } from './options.js';
import type { Credentials, ServerOptions } from './server-options.js';
import { type Software, softwareOf } from './software.js';
import { LoginTransport } from './transport.js';
import { withoutSecrets } from './without-secrets.js';

/** A connection right after its login. */
export interface LoggedIn {
  carrier: Carrier;
  /** Bytes that the server sent and that were not read yet. */
  rest: Buffer;
  /** Bytes that the login sent and received. */
  bytes: { sent: number; received: number };
  /** Capabilities in upper case, except `IMAP4rev1` and `IMAP4rev2`; `APPENDLIMIT` has its number. */
  capabilities: ReadonlyMap<string, boolean | number>;
  namespaces: ImapFlow['namespaces'];
  /** The server software, by its ID response (RFC 2971), or by a greeting that names a known one. */
  serverName: string | undefined;
  /** The fields of the ID response; undefined for servers without. */
  software: Software | undefined;
}

/**
 * Connects, secures and logs in by imapflow; then takes the socket over. On failure or abort nothing stays open.
 * @throws BrokerError UPSTREAM_UNAVAILABLE, IMAP_AUTH_FAILED or the signal's reason
 */
export async function logIn(
  id: string,
  server: ServerOptions,
  credentials: Credentials,
  signal?: AbortSignal,
): Promise<LoggedIn> {
  signal?.throwIfAborted();
  const transport = new LoginTransport(server);
  let throttled: unknown;
  let late = false;
  const flow: ImapFlow = new ImapFlow(
    loginOptions(id, server, credentials, transport, (failure) => {
      if (!isThrottled(failure)) return;
      throttled = failure;
      flow.close();
    }),
  );
  // Without a listener an RST would end the process.
  flow.on('error', () => {});
  const stop = () => flow.close();
  const timer = setTimeout(
    () => {
      late = true;
      stop();
    },
    server.connectTimeoutMs * 2 + server.loginTimeoutMs,
  );
  signal?.addEventListener('abort', stop);
  try {
    await flow.connect();
    return taken(flow, transport, server);
  } catch (failure) {
    flow.close();
    signal?.throwIfAborted();
    const reason = late ? { code: 'login timed out' } : (transport.stream?.failure ?? throttled ?? failure);
    const safe = reason instanceof BrokerError ? reason : withoutSecrets(reason, credentials);
    throw connectError(safe, server.name, credentials, transport.progress);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** Takes the socket over. @throws BrokerError UPSTREAM_UNAVAILABLE when the login has not proven the credentials */
function taken(flow: ImapFlow, { stream }: LoginTransport, server: ServerOptions): LoggedIn {
  if (!flow.usable || !stream) throw connectError({ code: 'it closed the connection' }, server.name);
  // A server that greets with PREAUTH never checks the credentials, so any would do.
  if (stream.isPreauth) throw connectError({ code: 'it asks for no credentials' }, server.name);
  const { capabilities, namespaces, serverInfo } = flow;
  const { name = greetedBy(flow.greeting) } = serverInfo ?? {};
  const { bytes } = stream;
  const { carrier, rest } = stream.release();
  flow.close();
  return {
    carrier,
    rest,
    bytes,
    capabilities: sharedCapabilities(capabilities),
    namespaces,
    serverName: typeof name === 'string' ? name : undefined,
    software: softwareOf(serverInfo),
  };
}

/** The software that the greeting names, for servers without ID: some need special treatment. */
function greetedBy(greeting: string | undefined): string | undefined {
  return /\b(?:dovecot|cyrus|courier)/i.exec(greeting ?? '')?.[0];
}

function isThrottled(failure: unknown): boolean {
  const { code, response } = (failure ?? {}) as { code?: string; response?: unknown };
  return code === 'ETHROTTLE' || (typeof response === 'string' && throttlePause(response) !== undefined);
}

/** Most capability lists that are kept: a server that sends a different list each time must not fill the memory. */
const MOST = 100;
/** Most characters of a kept list, as JSON: several times what servers send. */
const MOST_CHARACTERS = 8 * 1024;
const capabilityMaps = new Map<string, ReadonlyMap<string, boolean | number>>();

/** The same map for connections with the same capabilities: saves some 4 KiB per connection. */
function sharedCapabilities(
  capabilities: ReadonlyMap<string, boolean | number>,
): ReadonlyMap<string, boolean | number> {
  const key = JSON.stringify([...capabilities]);
  if (key.length > MOST_CHARACTERS) return capabilities;
  const kept = capabilityMaps.get(key);
  if (kept) return kept;
  if (capabilityMaps.size >= MOST) capabilityMaps.clear();
  capabilityMaps.set(key, capabilities);
  return capabilities;
}
