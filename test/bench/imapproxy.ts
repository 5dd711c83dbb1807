import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Program } from '../cli/program.js';
import { freePorts, untilGreets } from '../support/ports.js';

const PROGRAM = '/usr/sbin/imapproxyd';

/** Debian's imapproxy, which keeps logged-in connections for clients that connect at each click. */
export class Imapproxy {
  readonly port: number;
  readonly #folder: string;
  readonly #program: Program;

  private constructor(port: number, folder: string, running: Program) {
    this.port = port;
    this.#folder = folder;
    this.#program = running;
  }

  /** Starts one in front of an IMAP server in the clear on this machine; undefined where it is not installed. */
  static async start(serverPort: number): Promise<Imapproxy | undefined> {
    if (!existsSync(PROGRAM)) return undefined;
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-imapproxy-'));
    // It makes its files as root and reads them as another user.
    await chmod(folder, 0o777);
    const [port = 0] = await freePorts(1);
    const config = join(folder, 'imapproxy.conf');
    await writeFile(config, configuration(folder, port, serverPort));
    const running = new Program(PROGRAM, ['-f', config, '-p', join(folder, 'pid')]);
    const proxy = new Imapproxy(port, folder, running);
    try {
      await untilGreets(port, 5000, () => running.child.exitCode === null);
    } catch (cause) {
      await proxy.stop();
      throw new Error(`imapproxy did not start: ${running.out}${running.err}`, { cause });
    }
    return proxy;
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function configuration(folder: string, port: number, serverPort: number): string {
  // It refuses to run as root.
  const [user, group] = process.getuid?.() === 0 ? ['nobody', 'nogroup'] : [userInfo().username, `${userInfo().gid}`];
  return `server_hostname 127.0.0.1
server_port ${serverPort}
listen_address 127.0.0.1
listen_port ${port}
connect_retries 1
connect_delay 1
cache_size 512
cache_expiration_time 300
proc_username ${user}
proc_groupname ${group}
stat_filename ${join(folder, 'stat')}
protocol_log_filename ${join(folder, 'protocol.log')}
syslog_facility LOG_MAIL
syslog_prioritymask LOG_ERR
send_tcp_keepalives no
enable_select_cache no
enable_admin_commands no
foreground_mode yes
force_tls no
`;
}
