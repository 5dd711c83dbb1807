import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { findProgram } from '../support/dovecot-binary.js';
import { freePorts } from '../support/ports.js';
import { unpacked } from '../support/unpacked.js';
import { composeFolder, readCompose } from './compose.js';
import { commandIn, copiedIn, lastOf, type Stage, stagesOf } from './dockerfile.js';

/** Ports of the containers, each with what a test has in its place. */
type Ports = Record<'993' | '7143' | '7144' | '9090', number>;

/** What setup.sh printed. */
export interface Secrets {
  webmail: string;
  operator: string;
  password: string;
}

/**
 * What container/compose.yaml says, without Docker: the same files, scripts, commands and programs, with the folders of the
 * containers in a folder of the test, other ports, and localhost in place of the names of services.
 */
export class WithoutDocker {
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly #folder: string;
  readonly #running: Program[] = [];

  private constructor(folder: string, ports: Ports, secrets: Secrets) {
    this.#folder = folder;
    this.ports = ports;
    this.secrets = secrets;
  }

  static async start(): Promise<WithoutDocker> {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-container-'));
    // Dovecot's processes, and the user of the broker's image, have to get through.
    chmodSync(folder, 0o755);
    cpSync(composeFolder, join(folder, 'container'), { recursive: true, filter: (path) => !path.endsWith('/secrets') });
    const said = execFileSync('sh', [join(folder, 'container/setup.sh')], { encoding: 'utf8' });
    const [, webmail = ''] = /^Token of the web application: +(\S+)$/m.exec(said) ?? [];
    const [, operator = ''] = /^Token of an operator, .* (\S+)$/m.exec(said) ?? [];
    const [, password = ''] = /^User of Dovecot, .* anna (\S+)$/m.exec(said) ?? [];
    const [imaps = 0, sockets = 0, monitor = 0, prometheus = 0] = await freePorts(4);
    const ports = { '993': imaps, '7143': sockets, '7144': monitor, '9090': prometheus };
    const stage = new WithoutDocker(folder, ports, { webmail, operator, password });
    for (const name of ['tls/authority', 'tls/dovecot', 'tls/broker', 'state', 'run', 'mail', 'prometheus', 'dovecot'])
      mkdirSync(join(folder, name), { recursive: true });
    chownSync(join(folder, 'mail'), 1000, 1000);
    // In a container each secret is a file that its users can read.
    cpSync(join(folder, 'container/secrets'), join(folder, 'secrets'), { recursive: true });
    chmodSync(join(folder, 'secrets'), 0o755);
    stage.#assemble();
    return stage;
  }

  /** A text of a container, for the folders and ports of the test. */
  here(text: string): string {
    return text
      .replaceAll('/run/secrets', this.path('secrets'))
      .replaceAll('/run/imap-broker', this.path('run'))
      .replaceAll('/var/lib/imap-broker', this.path('state'))
      .replaceAll('/var/mail', this.path('mail'))
      .replaceAll('/etc/prometheus/alerts.yml', join(projectRoot, 'grafana/alerts.yml'))
      .replaceAll(/\/tls(?=\/)/g, this.path('tls'))
      .replaceAll(/(?<=host = ")dovecot(?=")/g, 'localhost')
      .replaceAll('broker:7144', 'localhost:7144')
      .replaceAll('"0.0.0.0"', '"127.0.0.1"')
      .replaceAll(/\b(993|7143|7144|9090)\b/g, (port) => `${this.ports[port as keyof Ports]}`);
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Runs the script that makes certificates, as its container does. @returns its exit code */
  makeCertificates(): number | null {
    return spawnSync('sh', [this.path('container/certificates.sh'), this.path('tls')], { stdio: 'ignore' }).status;
  }

  startDovecot(): Program {
    const place = { base_dir: this.path('dovecot'), state_dir: this.path('dovecot'), listen: '127.0.0.1' };
    const own = Object.entries(place).map(([key, value]) => `${key} = ${value}\n`);
    const conf = this.#file('container/dovecot/dovecot.conf', (text) => text + own.join(''));
    return this.#start(findProgram('dovecot'), ['-F', '-c', conf]);
  }

  startBroker(): Program {
    const { args, env } = this.broker(...commandIn(lastOf(brokerStage(), 'CMD')));
    const config = this.#file('container/broker.toml');
    return this.#start(
      process.execPath,
      args.map((arg) => arg.replace('/etc/imap-broker/config.toml', config)),
      env,
    );
  }

  startPrometheus(): Program {
    const { program } = unpacked('prometheus', 'usr/bin/prometheus');
    const config = this.#file('container/prometheus.yml', (text) => text.replaceAll(/(interval: )15s/g, '$11s'));
    const listen = `--web.listen-address=127.0.0.1:${this.ports['9090']}`;
    return this.#start(program, [`--config.file=${config}`, `--storage.tsdb.path=${this.path('prometheus')}`, listen]);
  }

  /** How the program of the broker's image is run, with the environment of its service. */
  broker(...given: string[]): { args: string[]; env: Record<string, string> } {
    const { environment = {} } = readCompose().services.broker ?? {};
    const env = Object.entries(environment).map(([key, value]) => [key, this.here(value)]);
    const admin = { IMAP_BROKER_ADMIN_URL: this.here('unix:/run/imap-broker/admin.sock') };
    return {
      args: [this.path('opt/dist/bin/imap-broker.js'), ...given],
      env: { ...Object.fromEntries(env), ...admin },
    };
  }

  /** What a command of the program in the broker's container prints. @throws where it fails */
  call(...given: string[]): string {
    const { args, env } = this.broker(...given);
    return execFileSync(process.execPath, args, { env: { ...process.env, ...env }, encoding: 'utf8', stdio: 'pipe' });
  }

  /** The exit code of a health check of an image that is built here. */
  health(image: 'broker' | 'dovecot'): number | null {
    const stage = image === 'broker' ? brokerStage() : stagesOf('container/dovecot/Dockerfile')[0];
    const [program = '', ...rest] = commandIn(stage && lastOf(stage, 'HEALTHCHECK'));
    if (image === 'dovecot')
      return spawnSync(
        program,
        rest.map((arg) => this.here(arg)),
      ).status;
    const { args, env } = this.broker(...rest);
    return spawnSync(process.execPath, args, { env: { ...process.env, ...env } }).status;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Puts together what the image of the broker has, and nothing else. */
  #assemble(): void {
    builtProgram();
    const opt = this.path('opt');
    mkdirSync(opt);
    for (const { from, sources, target } of copiedIn(brokerStage())) {
      for (const source of sources.map((one) => one.replace(/^\/build\//, ''))) {
        const into = join(opt, from === undefined && target === './' ? source : target);
        // The modules of the project are more than those of the image; test:container sees whether the image has enough.
        if (source === 'node_modules') symlinkSync(join(projectRoot, source), into);
        else cpSync(join(projectRoot, source), into, { recursive: true });
      }
    }
  }

  #file(path: string, change = (text: string) => text): string {
    const file = this.path(path);
    writeFileSync(file, change(this.here(readFileSync(join(projectRoot, path), 'utf8'))));
    return file;
  }

  #start(program: string, args: string[], env: Record<string, string> = {}): Program {
    const running = new Program(program, args, { env });
    this.#running.push(running);
    return running;
  }
}

function brokerStage(): Stage {
  const stage = stagesOf('Dockerfile').at(-1);
  if (stage === undefined) throw new Error('The Dockerfile has no stage.');
  return stage;
}
