import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Hello, TraceEvent } from '../client/index.js';
import { type Client, createClient, RpcError } from '../client/index.js';
import { Listeners } from '../runtime/listeners.js';
import { CliError, type ExitCode, exitCodes, type Output } from './output.js';
import { asCliError, reach } from './reach.js';
import { type Screen, unbounded } from './screen.js';

/** The admin socket of the service as its unit starts it. */
const SERVICE_SOCKET = 'unix:/run/imap-broker/admin.sock';

/** What a command for operators works with. */
export interface AdminContext {
  client: Client;
  /** Prints a result: as JSON where that was asked for, else as `render` makes it for people, to fit the screen. */
  print<T>(result: T, render: (result: T, screen: Screen) => string): void;
  /** Whether JSON was asked for. */
  json: boolean;
  /** Called at each connect to the broker, and for each traced request. */
  onHello: Listeners<Hello>;
  onTrace: Listeners<TraceEvent>;
  /** Shows the progress of something: on a terminal in one line, else in a line for each change, or as JSON. */
  progress<T>(state: T, render: (state: T) => string): void;
  output: Output;
  args: readonly string[];
  options: Readonly<Record<string, unknown>>;
}

/** @returns the exit code; undefined for success */
export type AdminWork = (context: AdminContext) => Promise<ExitCode | undefined>;

/** Adds the commands for a running broker; they are a client with the scope `admin`, and nothing more. */
export class AdminCommands {
  readonly #output: Output;
  readonly #end: (code: ExitCode) => void;

  /** @param end called with the exit code when a command is done */
  constructor(output: Output, end: (code: ExitCode) => void) {
    this.#output = output;
    this.#end = end;
  }

  /**
   * @param hasJson whether the command can print JSON
   * @returns the command, for arguments and options of its own
   */
  add(parent: Command, name: string, description: string, work: AdminWork, hasJson = true): Command {
    const command = parent
      .command(name)
      .description(description)
      .addOption(
        new Option('--url <url>', 'address of the broker: unix:, ws: or wss:')
          .env('IMAP_BROKER_ADMIN_URL')
          .default(SERVICE_SOCKET),
      )
      .addOption(
        new Option('--token-file <file>', 'file with the bearer token; the admin socket needs none').env(
          'IMAP_BROKER_TOKEN_FILE',
        ),
      );
    if (hasJson) command.option('--json', 'print JSON instead of a table');
    command.action(async () => this.#end((await this.run(command, work)) ?? exitCodes.ok));
    return command;
  }

  /** Does a command's work at the broker that its options name. */
  async run(command: Command, work: AdminWork): Promise<ExitCode | undefined> {
    const { url, all } = command.opts<Record<string, unknown>>();
    return await (Array.isArray(all)
      ? this.#runAtAll(all.map(String), command, work)
      : this.#runAt(String(url), command, work));
  }

  /** Does the work at one broker after the other; what fails at one does not keep it from the others. */
  async #runAtAll(urls: readonly string[], command: Command, work: AdminWork): Promise<ExitCode | undefined> {
    let worst: ExitCode | undefined;
    for (const url of urls) {
      if (command.opts<Record<string, unknown>>().json !== true) this.#output.out(`== ${url}\n`);
      try {
        await this.#runAt(url, command, work);
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        this.#output.err(`imap-broker: ${error.message}\n`);
        worst = error.exitCode;
      }
    }
    return worst;
  }

  async #runAt(url: string, command: Command, work: AdminWork): Promise<ExitCode | undefined> {
    const { url: _url, all: _all, tokenFile, json = false, ...options } = command.opts<Record<string, unknown>>();
    const file = typeof tokenFile === 'string' ? tokenFile : undefined;
    const token = file === undefined ? undefined : tokenIn(file);
    await reach(url);
    const screen = this.#output.terminal ?? unbounded;
    const onHello = new Listeners<Hello>();
    const onTrace = new Listeners<TraceEvent>();
    const client = createClient({
      url,
      token,
      onHello: (hello) => onHello.tell(hello),
      onTrace: (trace) => onTrace.tell(trace),
    });
    try {
      return await work({
        client,
        print: (result, render) =>
          this.#output.out(json ? `${JSON.stringify(result, undefined, 2)}\n` : render(result, screen)),
        json: json === true,
        onHello,
        onTrace,
        progress: progressOf(this.#output, json === true),
        output: this.#output,
        args: command.args,
        options,
      });
    } catch (error) {
      throw error instanceof RpcError ? (notLetIn(error, url, file) ?? asCliError(error)) : error;
    } finally {
      client.close();
    }
  }
}

function tokenIn(file: string): string {
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (token !== '') return token;
  } catch (error) {
    throw new CliError(`--token-file: cannot read ${file}: ${(error as Error).message}`, exitCodes.usage);
  }
  throw new CliError(`--token-file: ${file} is empty.`, exitCodes.usage);
}

/** The error of a command that the broker did not let in. */
function notLetIn({ kind, message }: RpcError, url: string, tokenFile: string | undefined): CliError | undefined {
  if (kind === 'UNAUTHENTICATED') {
    const why =
      tokenFile === undefined
        ? 'asks for a token: give --token-file, with one of a tenant that has the scope admin.'
        : `does not know the token in ${tokenFile}.`;
    return new CliError(`${kind}: the broker at ${url} ${why}`, exitCodes.usage);
  }
  // Of a refused upgrade only the HTTP status is known.
  if (kind !== 'FORBIDDEN' || !message.includes('HTTP status')) return undefined;
  const hint = 'The monitor takes the page alone, and a name without TLS has to be in allowed_hosts.';
  return new CliError(`${kind}: the broker takes no commands at ${url}. ${hint}`, exitCodes.failure);
}

function progressOf(output: Output, json: boolean): AdminContext['progress'] {
  let shown: string | undefined;
  return (state, render) => {
    const text = json ? JSON.stringify(state) : render(state);
    if (text === shown) return;
    // Moves onto the line before and clears it.
    const over = shown === undefined ? '' : '\x1b[1A\r\x1b[2K';
    output.out(`${output.terminal && !json ? over : ''}${text}\n`);
    shown = text;
  };
}
