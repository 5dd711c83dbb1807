import { connect } from 'node:net';
import type { RpcError } from '../client/index.js';
import { CliError, exitCodes } from './output.js';

const CONNECT_MS = 5_000;

/**
 * The client would go on trying to connect; a person wants to know at once that nobody listens.
 * @throws CliError
 */
export async function reach(url: string): Promise<void> {
  const target = targetOf(url);
  const probe = connect(target);
  const failure = await new Promise<string | undefined>((resolve) => {
    probe.setTimeout(CONNECT_MS, () => resolve(`no answer within ${CONNECT_MS / 1000} s`));
    probe.once('connect', () => resolve(undefined));
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  probe.destroy();
  if (failure !== undefined) throw new CliError(`no broker can be reached at ${url}: ${failure}.`, exitCodes.failure);
}

function targetOf(url: string): { path: string } | { host: string; port: number } {
  if (url.startsWith('unix:')) return { path: url.slice('unix:'.length) };
  const { protocol, hostname, port } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '', port: '' };
  if (protocol !== 'ws:' && protocol !== 'wss:') {
    throw new CliError(`--url: ${url} is no ws:, wss: or unix: address.`, exitCodes.usage);
  }
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'ws:' ? 80 : 443)) };
}

/** An error of the broker as a command tells it. */
export function told(error: RpcError): CliError {
  const wrong = ['INVALID_PARAMS', 'UNAUTHENTICATED', 'INVALID_CONFIG'].includes(error.kind);
  const executed = error.executed === 'no' ? '' : ` (executed: ${error.executed})`;
  return new CliError(`${error.kind}: ${error.message}${executed}`, wrong ? exitCodes.usage : exitCodes.failure);
}
