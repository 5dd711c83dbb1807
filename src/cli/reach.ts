import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RpcError } from '../client/index.js';
import { unixAddress } from '../client/unix-address.js';
import { CliError, exitCodes } from './output.js';

const CONNECT_MS = 5_000;

/** The probable cause, by the code of an error. */
const HINTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^ENOENT$/, 'There is no such socket: does the broker run?'],
  [/^ECONNREFUSED$/, 'No process listens there: does the broker run?'],
  [/^EACCES$/, 'Only its owner may open the socket: try it as root.'],
  [/^ENOTFOUND$/, 'There is no such host.'],
  [/^(EPROTO|ERR_SSL_.*)$/, 'The broker does not speak TLS there: is ws: meant?'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'Its certificate is for another name.'],
  [/^CERT_HAS_EXPIRED$/, 'Its certificate has expired.'],
  [/CERT|VERIFY/, 'Its certificate is not trusted: NODE_EXTRA_CA_CERTS names a file of authorities to trust as well.'],
];

/**
 * The client would go on trying to connect; a person wants to know at once that no process listens, or why TLS fails.
 * @throws CliError
 */
export async function reach(url: string): Promise<void> {
  const { tls, ...target } = urlTarget(url);
  const probe = tls ? connectTls({ ...target, ...serverName(target.host) }) : connect(target);
  const failure = await new Promise<string | undefined>((resolve) => {
    probe.setTimeout(CONNECT_MS, () => resolve(`no answer within ${CONNECT_MS / 1000} s`));
    probe.once(tls ? 'secureConnect' : 'connect', () => resolve(undefined));
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  probe.destroy();
  if (failure === undefined) return;
  const [, hint] = HINTS.find(([code]) => code.test(failure)) ?? [];
  const why = hint === undefined ? `${failure}.` : `${failure}. ${hint}`;
  throw new CliError(`no broker can be reached at ${url}: ${why}`, exitCodes.failure);
}

interface Target {
  tls: boolean;
  path?: string;
  host?: string;
  port: number;
}

function urlTarget(url: string): Target {
  const unix = unixAddress(url);
  if (unix) return { tls: false, path: unix.path, port: 0 };
  const { protocol, hostname, port } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '', port: '' };
  if (protocol !== 'ws:' && protocol !== 'wss:') {
    throw new CliError(
      `--url: ${url} is not an address: write ws://HOST:PORT, wss://HOST:PORT or unix:/PATH.`,
      exitCodes.usage,
    );
  }
  const tls = protocol === 'wss:';
  return { tls, host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (tls ? 443 : 80)) };
}

/** An address is no name to ask for by SNI. */
function serverName(host = ''): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** An error of the broker as a command tells it. */
export function asCliError(error: RpcError): CliError {
  const wrong = ['INVALID_PARAMS', 'UNAUTHENTICATED', 'INVALID_CONFIG'].includes(error.kind);
  const executed = error.executed === 'no' ? '' : ` (executed: ${error.executed})`;
  return new CliError(`${error.kind}: ${error.message}${executed}`, wrong ? exitCodes.usage : exitCodes.failure);
}
