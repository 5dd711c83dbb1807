import { dirname, resolve } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { parse, TomlError } from 'smol-toml';
import type { BrokerOptions } from '../broker/options.js';
import type { ServerOptions } from '../imap/login/server-options.js';
import type { LogLevel } from '../runtime/log/log.js';
import type { ListenerTls } from '../server/listener.js';
import type { Tenant } from '../session/tenant.js';
import { ConfigError } from './config-error.js';
import { decimalModes, explainIssues, withLine } from './explain.js';
import { pathOf, read, readNamed, readTokenHashes } from './files.js';
import { nearestWord } from './nearest.js';
import { certificateProblem, privateKeyProblem } from './pem.js';
import { plainly } from './plain-words.js';
import { type ConfigFile, configSchema, portOf } from './schema.js';
import { type Settings, settingsOf } from './settings.js';
import { shownSettings } from './shown-settings.js';
import { tomlProblem } from './toml-errors.js';

export { ConfigError };

/** What a configuration says, as the broker takes it. */
export interface Config {
  broker: Omit<BrokerOptions, 'log'>;
  logLevel: LogLevel;
  /** How many brokers share the IMAP servers. */
  brokers: number;
  /** Milliseconds that running requests have after SIGTERM. */
  drainMs: number;
  /** The settings by key, to tell what is different in another configuration. */
  settings: Settings;
  /** The folder of keys and ended sessions, which the broker makes. */
  stateDir: string | undefined;
  /** The file; none where flags took its place. */
  file: string | undefined;
  /** File and line of a key, and the key: for a problem that is found later. */
  placeOf(key: string): string;
}

/**
 * Reads a configuration file and the files that it names.
 * @throws ConfigError whose problems name the file
 */
export function loadConfig(path: string): Config {
  const text = read(path);
  try {
    const config = parseConfig(text, dirname(resolve(path)));
    return { ...config, file: path, placeOf: (key) => `${path}: ${config.placeOf(key)}` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.problems.map((problem) => `${path}: ${problem}`));
  }
}

/**
 * Reads a configuration from TOML.
 * @param folder what paths in it are relative to
 * @throws ConfigError
 */
export function parseConfig(text: string, folder: string): Config {
  const { given, data } = checkedText(text);
  try {
    const config = fromFile(data, folder);
    const placeOf = (key: string) => withLine(text, `${key}: `).slice(0, -': '.length);
    return { ...config, placeOf, broker: { ...config.broker, settings: shownSettings(data, given, 'file') } };
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure;
    throw new ConfigError(failure.problems.map((problem) => withLine(text, problem)));
  }
}

/**
 * Reads a configuration as far as its text goes, without the files that it names.
 * @returns what it says, and the same with all defaults filled in
 * @throws ConfigError
 */
export function checkedText(text: string): { given: unknown; data: ConfigFile } {
  const given = parseToml(text);
  const { data, error } = configSchema.safeParse(given, { error: plainly });
  if (error) throw new ConfigError(explainIssues(text, error.issues));
  const modes = decimalModes(text, given);
  if (modes.length > 0) throw new ConfigError(modes);
  return { given, data };
}

/**
 * Turns a configuration with its defaults filled in into options.
 * @param folder what paths in it are relative to
 * @throws ConfigError when a file that it names cannot be read
 */
export function fromFile(file: ConfigFile, folder: string): Config {
  const { pool, limits, cache, session, cluster } = file;
  const { brokers } = cluster;
  if (pool.connections_per_server < brokers) {
    const problem = `pool.connections_per_server: ${pool.connections_per_server} cannot be divided by ${brokers} brokers`;
    throw new ConfigError([problem]);
  }
  return {
    logLevel: file.log.level,
    brokers,
    drainMs: ms(limits.drain_seconds),
    stateDir: session.state_dir === undefined ? undefined : resolve(folder, session.state_dir),
    file: undefined,
    placeOf: (key) => key,
    broker: {
      name: cluster.name,
      listeners: [
        ...file.listener.map((listener, index) => listenAddress(listener, `listener[${index}]`, folder)),
        ...adminListener(file.admin, folder),
      ],
      monitor: file.monitor && listenAddress(file.monitor, 'monitor', folder),
      tenants: file.tenant.map((tenant, index) => tenantFrom(tenant, `tenant[${index}]`, file, folder)),
      servers: file.server.map((server, index) => serverOptions(server, `server[${index}]`, folder, brokers)),
      allowedOrigins: file.allowed_origins,
      allowedHosts: file.allowed_hosts,
      appendBytes: limits.append_bytes,
      pool: {
        connectionsPerAccount: pool.connections_per_account,
        connectionsPerServer: Math.floor(pool.connections_per_server / brokers),
        connections: pool.connections,
        queuePerAccount: pool.queue_per_account,
        acquireTimeoutMs: ms(pool.acquire_timeout_seconds),
        idleMs: ms(pool.idle_seconds),
        maxAgeMs: ms(pool.max_age_seconds),
        logoutMs: ms(pool.logout_seconds),
      },
      sockets: {
        sockets: limits.sockets,
        frameBytes: limits.frame_bytes,
        pendingRequests: limits.pending_requests,
        streams: limits.streams,
        defaultTimeoutMs: ms(limits.default_timeout_seconds),
        heartbeatMs: ms(limits.heartbeat_seconds),
        ageMs: ms(limits.socket_seconds),
      },
      views: { bytes: cache.bytes, bodyBytes: cache.body_bytes },
      sessions: { ttlMs: ms(session.ttl_seconds), maxAgeMs: ms(session.max_age_seconds) },
      sessionFiles: sessionFiles(session, folder),
      shared: file.shared && sharedStore(file.shared, session, folder),
    },
    // After all else that reads files, whose errors are plainer.
    settings: settingsOf(file, folder),
  };
}

function sharedStore(
  { url, ca_file: ca }: NonNullable<ConfigFile['shared']>,
  session: ConfigFile['session'],
  folder: string,
): BrokerOptions['shared'] {
  if (session.key_file === undefined && session.state_dir === undefined) {
    throw new ConfigError(['shared: needs session.key_file: brokers read what others have sealed by the same keys']);
  }
  return { url, ca: ca === undefined ? undefined : readNamed(ca, folder, 'shared.ca_file') };
}

/** The files of keys and revocations. The operator makes a key file of his own; the broker makes one in state_dir. */
export function sessionFiles({ state_dir: state, key_file: key }: ConfigFile['session'], folder: string) {
  if (state === undefined && key === undefined) return undefined;
  return {
    keyFile: key === undefined ? resolve(folder, state ?? '', 'session.keys') : pathOf(key, folder, 'session.key_file'),
    createKeys: key === undefined,
    revocationsFile: state === undefined ? undefined : resolve(folder, state, 'revoked.jsonl'),
    outcomesFile: state === undefined ? undefined : resolve(folder, state, 'outcomes.sealed'),
  };
}

type ListenerEntry = ConfigFile['listener'][number];
type ServerEntry = ConfigFile['server'][number];

function listenAddress(entry: ListenerEntry, key: string, folder: string): BrokerOptions['listeners'][number] {
  if (entry.systemd !== undefined) return { passed: entry.systemd, tls: listenerTls(entry, key, folder) };
  if (entry.unix === undefined) {
    return { host: entry.host ?? '127.0.0.1', port: entry.port ?? 0, tls: listenerTls(entry, key, folder) };
  }
  return { unix: resolve(folder, entry.unix), mode: entry.mode ?? 0o660 };
}

function adminListener({ socket, mode }: ConfigFile['admin'], folder: string): BrokerOptions['listeners'] {
  return socket === undefined ? [] : [{ unix: resolve(folder, socket), mode: mode ?? 0o600, forOperators: true }];
}

function listenerTls(entry: ListenerEntry, key: string, folder: string): ListenerTls | undefined {
  const { tls_cert_file: cert, tls_key_file: privateKey, client_ca_file: clientCa } = entry;
  if (cert === undefined || privateKey === undefined) return undefined;
  const tls = {
    cert: readNamed(cert, folder, `${key}.tls_cert_file`),
    key: readNamed(privateKey, folder, `${key}.tls_key_file`),
    clientCa: clientCa === undefined ? undefined : readNamed(clientCa, folder, `${key}.client_ca_file`),
  };
  const problems = [
    [`tls_cert_file: ${cert}`, certificateProblem(tls.cert)],
    [`tls_key_file: ${privateKey}`, privateKeyProblem(tls.key, tls.cert)],
    [`client_ca_file: ${clientCa}`, tls.clientCa === undefined ? undefined : certificateProblem(tls.clientCa)],
  ].flatMap(([file, problem]) => (problem === undefined ? [] : [`${key}.${file} ${problem}`]));
  // A key can be held against a certificate that can be read.
  if (problems.length > 0) throw new ConfigError(problems.slice(0, 1));
  try {
    createSecureContext({ cert: tls.cert, key: tls.key, ca: tls.clientCa });
    return tls;
  } catch (error) {
    throw new ConfigError([`${key}.tls_cert_file: certificate and key cannot be used: ${(error as Error).message}`]);
  }
}

function tenantFrom(entry: ConfigFile['tenant'][number], key: string, file: ConfigFile, folder: string): Tenant {
  const unknown = entry.servers?.find((name) => !file.server.some((server) => server.name === name));
  if (unknown !== undefined) {
    const near = nearestWord(
      unknown,
      file.server.map(({ name }) => name),
    );
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    throw new ConfigError([`${key}.servers: there is no [[server]] named "${unknown}"${hint}`]);
  }
  const { token_hashes_file: hashFile, certificate_names: names } = entry;
  const hashesInFile = hashFile === undefined ? [] : readTokenHashes(hashFile, folder, `${key}.token_hashes_file`);
  if (hashFile !== undefined && [...entry.token_hashes, ...hashesInFile, ...names].length === 0) {
    throw new ConfigError([`${key}.token_hashes_file: ${hashFile} has no hash in it: the application cannot connect`]);
  }
  return {
    name: entry.name,
    tokenHashes: [...entry.token_hashes, ...hashesInFile],
    certificateNames: entry.certificate_names,
    servers: entry.servers,
    scopes: entry.scopes,
    quotas: {
      sockets: entry.sockets,
      sessions: entry.sessions,
      concurrentRequests: entry.concurrent_requests,
      streams: entry.streams,
      requestsPerSecond: entry.requests_per_second,
    },
  };
}

function serverOptions(entry: ServerEntry, key: string, folder: string, brokers: number): ServerOptions {
  return {
    name: entry.name,
    host: entry.host,
    port: portOf(entry),
    tls: entry.tls,
    servername: entry.servername,
    secureContext: entry.tls === 'none' ? undefined : secureContext(entry, key, folder),
    compress: entry.compress,
    connectTimeoutMs: ms(entry.connect_timeout_seconds),
    loginTimeoutMs: ms(entry.login_timeout_seconds),
    loginsPerSecond: entry.logins_per_second / brokers,
    maxLiteralBytes: entry.literal_bytes,
  };
}

function secureContext({ ca_file: file }: ServerEntry, key: string, folder: string): SecureContext {
  if (file === undefined) return createSecureContext();
  const ca = readNamed(file, folder, `${key}.ca_file`);
  // Node itself takes a text without any certificate in silence, and then trusts no server.
  const problem = certificateProblem(ca);
  if (problem !== undefined) throw new ConfigError([`${key}.ca_file: ${file} ${problem}`]);
  try {
    return createSecureContext({ ca });
  } catch (error) {
    throw new ConfigError([`${key}.ca_file: ${file} cannot be used: ${(error as Error).message}`]);
  }
}

/** Reads TOML of whatever content. @throws ConfigError */
export function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new ConfigError([tomlProblem(text, error)]);
  }
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000);
}
