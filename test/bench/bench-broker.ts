import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../src/client/index.js';
import { hashToken } from '../../src/session/tenants.js';
import { Program } from '../cli/program.js';
import { processorSeconds } from './processor.js';

/** The bench runs compiled, below dist, so this is the compiled broker. */
const program = fileURLToPath(new URL('../../bin/imap-broker.js', import.meta.url));

/** An IMAP server that the broker knows. */
export interface BrokerServer {
  name: string;
  port: number;
  /** The authority to trust; without it there is no TLS. */
  caPath?: string;
}

export interface BrokerSetup {
  servers: readonly BrokerServer[];
  /** Web applications by name, which is their token too, with more lines for each. */
  tenants?: Record<string, string>;
  /** For a proxy before it: it listens at 127.0.0.1 and not on a Unix socket. */
  ports?: BrokerPorts;
}

export interface BrokerPorts {
  port: number;
  monitorPort: number;
}

/** So much that the quotas of an application are no part of what is measured. */
export const UNBOUNDED =
  'requests_per_second = 1000000\nconcurrent_requests = 1000000\nsessions = 1000000\nstreams = 1000';

/** The compiled broker as a process of its own, on a Unix socket unless it has ports. */
export class BenchBroker {
  readonly url: string;
  readonly #folder: string;
  readonly #program: Program;
  readonly #clients: Client[] = [];

  private constructor(folder: string, url: string, running: Program) {
    this.#folder = folder;
    this.url = url;
    this.#program = running;
  }

  static async start({ servers, tenants = { webmail: UNBOUNDED }, ports }: BrokerSetup): Promise<BenchBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-bench-'));
    const socket = join(folder, 'broker.sock');
    const config = join(folder, 'broker.toml');
    await writeFile(
      config,
      configuration(ports ? atPorts(ports) : `[[listener]]\nunix = "${socket}"\n`, servers, tenants),
    );
    // Installing a package does that, so that it starts as its first line says.
    await chmod(program, 0o755);
    const running = new Program(program, ['serve', '--config', config]);
    const broker = new BenchBroker(folder, ports ? `ws://127.0.0.1:${ports.port}` : `unix:${socket}`, running);
    await running.printed(/"listening"/);
    return broker;
  }

  /** Another socket; {@link stop} closes it. */
  client(tenant = 'webmail'): Client {
    const client = createClient({ url: this.url, token: tenant, maxPending: 10_000 });
    this.#clients.push(client);
    return client;
  }

  /** Bytes of memory that it holds, pages shared with others included. */
  get residentBytes(): number {
    const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(this.#proc('status')) ?? [];
    return Number(kib) * 1024;
  }

  /** Seconds of processor time that it has used so far. */
  get cpuSeconds(): number {
    return processorSeconds(this.pid);
  }

  get pid(): number {
    return this.#program.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#program.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #proc(name: string): string {
    return readFileSync(`/proc/${this.pid}/${name}`, 'utf8');
  }
}

function atPorts({ port, monitorPort }: BrokerPorts): string {
  return `[[listener]]\nhost = "127.0.0.1"\nport = ${port}\n\n[monitor]\nport = ${monitorPort}\n`;
}

/** @param listening tables of the listeners */
function configuration(listening: string, servers: readonly BrokerServer[], tenants: Record<string, string>): string {
  const server = ({ name, port, caPath }: BrokerServer) => `
[[server]]
name = "${name}"
host = "127.0.0.1"
port = ${port}
logins_per_second = 10000
${caPath === undefined ? 'tls = "none"' : `servername = "localhost"\nca_file = "${caPath}"`}
`;
  const tenant = ([name, lines]: [string, string]) => `
[[tenant]]
name = "${name}"
token_hashes = ["${hashToken(name)}"]
${lines}
`;
  return `${listening}
[limits]
pending_requests = 10000

[pool]
connections_per_server = 5000
connections = 5000
${servers.map(server).join('')}${Object.entries(tenants).map(tenant).join('')}`;
}
