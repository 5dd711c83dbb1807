import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken } from '../../src/session/tenants.js';
import { Program } from '../cli/program.js';
import { certificates } from './certificates.js';
import { FrameClient } from './frame-client.js';
import { type Asking, type HealthyPlace, inThisThread } from './healthy-place.js';
import { type HostileServer, type Hostility, startHostileServer } from './hostile-imap.js';

const TOKEN = 'token-of-the-arena';
const HEALTHY = 'healthy';
/** Where the broker would take more, it ends, before the machine of the tests has none left. */
const HEAP_MB = 1024;

/** A line of the broker's log. */
export type LogLine = Record<string, unknown>;

/** A running broker between hostile servers, each under a name, and a healthy server with one healthy user. */
export class HostileArena {
  readonly servers: ReadonlyMap<string, HostileServer>;
  readonly #place: HealthyPlace;
  readonly #program: string;
  readonly #folder: string;
  #broker: Program | undefined;
  #client: FrameClient | undefined;
  #healthy: Asking | undefined;

  private constructor(
    program: string,
    folder: string,
    servers: ReadonlyMap<string, HostileServer>,
    place: HealthyPlace,
  ) {
    this.#program = program;
    this.#folder = folder;
    this.servers = servers;
    this.#place = place;
  }

  /**
   * @param program the compiled broker
   * @param enter starts the healthy server, and is where its user asks from
   */
  static async start(
    program: string,
    hostilities: ReadonlyMap<string, Hostility>,
    enter: () => Promise<HealthyPlace> = inThisThread,
  ): Promise<HostileArena> {
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-hostile-'));
    const servers = new Map<string, HostileServer>();
    for (const [name, hostility] of hostilities) servers.set(name, await startHostileServer(hostility));
    const arena = new HostileArena(program, folder, servers, await enter());
    await writeFile(join(folder, 'ca.pem'), certificates().ca);
    await writeFile(join(folder, 'broker.toml'), arena.#configuration(hostilities));
    await arena.renew();
    return arena;
  }

  get client(): FrameClient {
    if (!this.#client) throw new Error('The arena has no broker.');
    return this.#client;
  }
  get healthy(): Asking {
    if (!this.#healthy) throw new Error('The arena has no broker.');
    return this.#healthy;
  }

  /** Whether the broker's process runs. */
  get running(): boolean {
    const child = this.#broker?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** What the broker printed; a line that is no JSON stands as `{ text }`. */
  log(): LogLine[] {
    const printed = `${this.#broker?.out ?? ''}${this.#broker?.err ?? ''}`;
    return printed.split('\n').flatMap((text) => (text ? [readLine(text)] : []));
  }

  /** Starts the broker anew, whatever became of the one before. */
  async renew(): Promise<void> {
    await this.#end();
    const args = [`--max-old-space-size=${HEAP_MB}`, this.#program, 'serve', '--config', this.#path('broker.toml')];
    this.#broker = new Program(process.execPath, args);
    process.once('exit', this.#onExit);
    await this.#broker.printed(/"listening"/);
    const socket = this.#path('broker.sock');
    this.#client = await FrameClient.open(socket, TOKEN);
    this.#healthy = await this.#place.enter(socket, TOKEN, HEALTHY);
  }

  /** From now on {@link peakBytes} counts anew. */
  resetPeak(): void {
    writeFileSync(this.#proc('clear_refs'), '5');
  }

  /** The most memory that the broker held since {@link resetPeak}, pages shared with others included. */
  get peakBytes(): number {
    return this.#status('VmHWM');
  }
  get residentBytes(): number {
    return this.#status('VmRSS');
  }

  async stop(): Promise<void> {
    await this.#end();
    for (const server of this.servers.values()) await server.close();
    await this.#place.end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A process that is interrupted leaves no broker behind. */
  readonly #onExit = (): void => {
    this.#broker?.child.kill('SIGKILL');
  };

  async #end(): Promise<void> {
    process.removeListener('exit', this.#onExit);
    await this.#healthy?.close();
    await this.#client?.close();
    // A broker that stands still would not heed a SIGTERM.
    if (this.running) await this.#broker?.stop('SIGKILL');
    await rm(this.#path('broker.sock'), { force: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #proc(name: string): string {
    return `/proc/${this.#broker?.child.pid}/${name}`;
  }

  #status(name: string): number {
    if (!this.running) return 0;
    const [, kib = '0'] =
      new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(this.#proc('status'), 'utf8')) ?? [];
    return Number(kib) * 1024;
  }

  #configuration(hostilities: ReadonlyMap<string, Hostility>): string {
    const server = (name: string, port: number, tls: string) => `
[[server]]
name = "${name}"
host = "127.0.0.1"
port = ${port}
tls = "${tls}"
logins_per_second = 10000
connect_timeout_seconds = 10
login_timeout_seconds = 10
${tls === 'none' ? '' : 'servername = "localhost"\nca_file = "ca.pem"'}
`;
    const entries = [...this.servers].map(([name, { port }]) =>
      server(name, port, hostilities.get(name)?.tls ?? 'none'),
    );
    return `[[listener]]
unix = "broker.sock"

[[tenant]]
name = "webmail"
token_hashes = ["${hashToken(TOKEN)}"]
requests_per_second = 1000000
${entries.join('')}${server(HEALTHY, this.#place.port, 'none')}`;
  }
}

function readLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { text };
  }
}
