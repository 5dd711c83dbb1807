import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { BrokerError } from '../../protocol/errors.js';
import type { Credentials, ServerOptions } from '../login/server-options.js';
import { ImapConnection } from './connection.js';
import { Dialogue } from './dialogue.js';
import { withAdvice } from './obstacles.js';

/** One step on the way to a usable connection. */
export interface ProbeStep {
  step: 'dns' | 'connect' | 'tls' | 'greeting' | 'capabilities' | 'login';
  ok: boolean;
  ms: number;
  /** What the step found, or why it failed; contains no secret. */
  detail: string;
}

const MOST_DETAIL = 500;
const LOGOUT_MS = 2_000;

/**
 * Connects to a server step by step, as the broker does, up to the first step that fails. Nothing stays open.
 * @param credentials for a login; without them the probe stops before the login
 * @param deadlineAt `Date.now()` by which the probe is done
 */
export async function probe(
  server: ServerOptions,
  credentials: Credentials | undefined,
  deadlineAt: number,
): Promise<ProbeStep[]> {
  const steps = new Steps(server, deadlineAt);
  const { host, port, connectTimeoutMs: within } = server;
  let socket: Socket | undefined;
  try {
    await steps.take('dns', within, () => addressesOf(host));
    await steps.take('connect', within, async () => {
      socket = connect({ host, port, noDelay: true });
      await happens(socket, 'connect');
      return `${socket.remoteAddress} port ${port}`;
    });
    const secure = async () => {
      const secured = connectTls({ ...tlsOptions(server), socket: socket as Socket });
      socket = secured;
      await happens(secured, 'secureConnect');
      return certificateOf(secured);
    };
    if (server.tls === 'implicit') await steps.take('tls', within, secure);
    let dialogue = new Dialogue(socket as unknown as Socket);
    await steps.take('greeting', within, () => greeting(dialogue));
    if (server.tls === 'starttls') {
      await steps.take('tls', within, async () => {
        await answered(dialogue, 'STARTTLS');
        dialogue.release();
        return secure();
      });
      dialogue = new Dialogue(socket as unknown as Socket);
    }
    await steps.take('capabilities', within, () => answered(dialogue, 'CAPABILITY'));
    dialogue.send('z LOGOUT');
    socket?.destroy();
    if (credentials) await steps.take('login', server.loginTimeoutMs, () => login(server, credentials, deadlineAt));
  } catch {
    // The last step says why.
  } finally {
    socket?.destroy();
  }
  return steps.all;
}

class Steps {
  readonly all: ProbeStep[] = [];
  readonly #server: ServerOptions;
  readonly #deadlineAt: number;

  constructor(server: ServerOptions, deadlineAt: number) {
    this.#server = server;
    this.#deadlineAt = deadlineAt;
  }

  /** @throws when the step failed, after it was noted */
  async take(step: ProbeStep['step'], withinMs: number, work: () => Promise<string>): Promise<void> {
    const begun = performance.now();
    const ms = () => Math.round((performance.now() - begun) * 10) / 10;
    const limitMs = Math.max(0, Math.min(withinMs, this.#deadlineAt - Date.now()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${Math.round(limitMs)} ms`)), limitMs);
    });
    try {
      const detail = await Promise.race([work(), late]);
      this.all.push({ step, ok: true, ms: ms(), detail: detail.slice(0, MOST_DETAIL) });
    } catch (error) {
      const detail = withAdvice({ step, detail: reasonOf(error).slice(0, MOST_DETAIL) }, this.#server);
      this.all.push({ step, ok: false, ms: ms(), detail });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

async function addressesOf(host: string): Promise<string> {
  if (isIP(host)) return `${host} is an address`;
  const addresses = await lookup(host, { all: true });
  return addresses.map(({ address }) => address).join(', ');
}

function happens(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    // The dialogue handles later errors, but an error without a listener would end the process.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
  });
}

function tlsOptions({ host, servername, secureContext }: ServerOptions) {
  const name = servername ?? (isIP(host) ? undefined : host);
  return { host, ...(name === undefined ? {} : { servername: name }), secureContext, minVersion: 'TLSv1.2' as const };
}

function certificateOf(socket: TLSSocket): string {
  const { subject, valid_to: until } = socket.getPeerCertificate();
  return `${socket.getProtocol()}, certificate of ${subject?.CN ?? 'a subject without a name'}, valid until ${until}`;
}

async function greeting(dialogue: Dialogue): Promise<string> {
  const [line = ''] = await dialogue.until(/^/);
  if (!/^\* (OK|PREAUTH)\b/i.test(line)) throw new Error(`not a greeting: ${line}`);
  return line.replace(/^\* /, '');
}

/** The server's response to a command, without the tag. */
async function answered(dialogue: Dialogue, command: string): Promise<string> {
  dialogue.send(`a ${command}`);
  const lines = await dialogue.until(/^a /);
  const last = lines.at(-1) ?? '';
  if (!/^a OK\b/i.test(last)) throw new Error(`${command} was refused: ${last.slice(2)}`);
  return lines.find((line) => line.startsWith('* '))?.slice(2) ?? last.slice(2);
}

async function login(server: ServerOptions, credentials: Credentials, deadlineAt: number): Promise<string> {
  const signal = AbortSignal.timeout(Math.max(0, Math.min(server.loginTimeoutMs, deadlineAt - Date.now())));
  const connection = await ImapConnection.open(`${server.name}-probe`, server, credentials, signal);
  const { serverName = 'a server that does not tell its name' } = connection;
  await connection.logout(LOGOUT_MS);
  return `${credentials.user} is logged in at ${serverName}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof BrokerError) return error.imap ? `${error.message} It says: ${error.imap.text}` : error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`;
}
