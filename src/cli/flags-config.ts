import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type Config, ConfigError, fromFile } from '../config/load.js';
import { plainly } from '../config/plain-words.js';
import { type ConfigFile, configSchema, isLoopback } from '../config/schema.js';
import { hostParts } from '../config/schema-texts.js';
import { shownSettings } from '../config/shown-settings.js';
import { hashToken } from '../session/tenants.js';
import { defaultListen } from './default-listen.js';
import { CliError, exitCodes } from './output.js';

/** What `serve` takes instead of a configuration file. */
export interface ServeFlags {
  server?: string[] | undefined;
  listen?: string | undefined;
  token?: string | undefined;
  /** Whether the token is from the environment. */
  tokenFromEnvironment?: boolean | undefined;
  starttls?: boolean | undefined;
  insecureNoTls?: boolean | undefined;
  ca?: string | undefined;
}

/**
 * A configuration made of flags alone, with one tenant.
 * @returns the configuration, the bearer token, and whether the token was made here
 * @throws CliError with the name of the flag
 */
export function configOfFlags(flags: ServeFlags): { config: Config; token: string; tokenIsNew: boolean } {
  const token = flags.token ?? randomBytes(32).toString('base64url');
  // What a header can carry (RFC 6750 section 2.1).
  if (!/^[\w.~+/=-]+$/.test(token)) throw usage('--token: only letters, digits and -._~+/= are possible.');
  if (flags.starttls && flags.insecureNoTls) throw usage('--starttls and --insecure-no-tls exclude each other.');
  const listener = listenerOf(flags.listen ?? defaultListen);
  const server = (flags.server ?? []).map((one) => serverOf(one, flags));
  const tenant = [{ name: 'default', token_hashes: [hashToken(token)] }];
  const { data, error } = configSchema.safeParse({ listener: [listener], server, tenant }, { error: plainly });
  if (error) {
    const [{ path, message } = { path: [], message: 'wrong' }] = error.issues;
    throw usage(`${path[0] === 'listener' ? '--listen' : '--server'}: ${message}`);
  }
  const config = withFiles(data);
  const tokenIsNew = flags.token === undefined;
  const given = {
    server,
    ...(flags.listen === undefined ? {} : { listener: [listener] }),
    ...(tokenIsNew ? {} : { tenant }),
  };
  const settings = shownSettings(data, given, 'flag').map((one) =>
    flags.tokenFromEnvironment && one.key === 'tenant[0].token_hashes'
      ? { ...one, source: 'environment' as const }
      : one,
  );
  return { config: { ...config, broker: { ...config.broker, settings } }, token, tokenIsNew };
}

function withFiles(file: ConfigFile): Config {
  try {
    return fromFile(file, process.cwd());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw usage(`--ca: ${error.problems[0]?.replace(/^server\[\d+\]\.ca_file: /, '')}`);
  }
}

function listenerOf(listen: string): { unix: string } | { host: string; port: number } {
  if (listen.startsWith('unix:')) {
    const unix = listen.slice('unix:'.length);
    if (unix === '') throw usage('--listen: unix: needs a path, as in unix:/run/imap-broker.sock.');
    return { unix };
  }
  const { host, port } = hostPort('--listen', listen);
  if (port === undefined) throw usage(`--listen: ${listen} has no port; write HOST:PORT or unix:PATH.`);
  if (!isLoopback(host)) {
    throw usage(
      `--listen: ${host} is not a loopback address; other machines need TLS, which takes a configuration file.`,
    );
  }
  return { host, port };
}

function serverOf(server: string, flags: ServeFlags) {
  const { host, port } = hostPort('--server', server);
  if (port === 0) throw usage('--server: port 0 is no port to connect to.');
  const tls = flags.insecureNoTls ? 'none' : flags.starttls ? 'starttls' : 'implicit';
  return {
    name: host,
    host,
    tls,
    ...(port === undefined ? {} : { port }),
    ...(flags.ca === undefined ? {} : { ca_file: flags.ca }),
  };
}

/** Splits `host`, `host:port`, `[v6]:port` or a bare IPv6 address. */
function hostPort(flag: string, text: string): { host: string; port: number | undefined } {
  if (isIPv6(text)) return { host: text, port: undefined };
  const parts = hostParts(text);
  const { scheme, host = '', port } = parts ?? {};
  const address = host.includes(':') ? `[${host}]` : host;
  const plain = port === undefined ? host : `${address}:${port}`;
  if (parts === undefined || (port !== undefined && port > 65_535)) {
    throw usage(`${flag}: ${text} is not of the form HOST or HOST:PORT.`);
  }
  if (plain !== text && address !== text) {
    const starttls = scheme === 'imap' ? ', and --starttls where the port takes it' : '';
    throw usage(`${flag}: a URL is not of the form HOST or HOST:PORT: write ${plain}${starttls}.`);
  }
  return { host, port };
}

function usage(message: string): CliError {
  return new CliError(message, exitCodes.usage);
}
