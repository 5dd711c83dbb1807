import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Broker } from '../../src/broker/broker.js';
import type { BrokerOptions } from '../../src/broker/options.js';
import { accountKey } from '../../src/runtime/account-key.js';
import { createLog } from '../../src/runtime/log/log.js';
import { runMain } from '../cli/run-main.js';
import { Dovecot } from './dovecot.js';
import { RawClient, runBroker } from './running-broker.js';

/** A broker with an admin socket in front of a Dovecot, and a client of the tenant `webmail`. */
export class OperatedBroker {
  readonly folder: string;
  readonly dovecot: Dovecot;
  readonly logged: Record<string, unknown>[];
  broker!: Broker & { url: string };
  client!: RawClient;

  private constructor(folder: string, dovecot: Dovecot, logged: Record<string, unknown>[]) {
    this.folder = folder;
    this.dovecot = dovecot;
    this.logged = logged;
  }

  static async start(overrides: (dovecot: Dovecot) => Partial<BrokerOptions> = () => ({})): Promise<OperatedBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-operated-'));
    const dovecot = await Dovecot.start();
    const logged: Record<string, unknown>[] = [];
    const log = createLog(
      'info',
      new Writable({
        write(line: Buffer, _encoding, done) {
          logged.push(JSON.parse(line.toString()) as Record<string, unknown>);
          done();
        },
      }),
    );
    const it = new OperatedBroker(folder, dovecot, logged);
    it.broker = await runBroker(dovecot, {
      listeners: [
        { host: '127.0.0.1', port: 0 },
        { unix: join(folder, 'admin.sock'), mode: 0o600, forOperators: true },
      ],
      sessionFiles: { keyFile: it.keyFile, createKeys: true, revocationsFile: join(folder, 'revoked.jsonl') },
      log,
      ...overrides(dovecot),
    });
    it.client = await RawClient.open(it.broker.url);
    return it;
  }

  get keyFile(): string {
    return join(this.folder, 'session.keys');
  }

  /** Runs a command for operators. */
  async run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return await runMain(...args, '--url', this.broker.urls[1] ?? '');
  }

  /** Has a connection of a user work until it is released. @returns its id, and how it ended */
  async work(user: string) {
    const key = accountKey({ tenant: 'webmail', server: { name: 'dovecot' }, user });
    let release = () => {};
    const job = { label: 'test', effect: 'read' as const, signal: new AbortController().signal, deadlineAt: Infinity };
    let ended: Promise<string> = Promise.resolve('');
    const id = await new Promise<string>((resolve, reject) => {
      const account = this.broker.registry.get(key);
      if (!account) throw new Error(`${user} is not logged in.`);
      ended = account.run(job, async (connection) => {
        resolve(connection.id);
        await new Promise<void>((go) => {
          release = go;
        });
        return connection.id;
      });
      ended.catch(reject);
    });
    return { id, ended, release };
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.broker.stop();
    await this.dovecot.stop();
    await rm(this.folder, { recursive: true });
  }
}
