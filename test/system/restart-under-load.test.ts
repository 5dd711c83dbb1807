import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient, type SessionClient } from '../../src/client/index.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { describeManaged, SystemdManager } from '../support/manager/systemd-manager.js';

const USERS = 50;
const SOCKETS = 4;
const REQUESTS_PER_SECOND = 100;
/** Fewer than the 256 that a broker lets one socket leave unanswered. */
const MOST_UNANSWERED = 250;
const RESTARTS = 2;
/** Answers to wait for before each restart, and after the last. */
const ANSWERS_BETWEEN = 200;
const SERVICE = 'imap-broker.service';

describeManaged('a restart under load, with a socket that systemd holds', () => {
  let dovecot: Dovecot;
  let manager: SystemdManager;
  let clients: Client[];
  beforeAll(async () => {
    builtProgram();
    dovecot = await Dovecot.start();
    manager = await SystemdManager.start({ [SERVICE]: '' });
    copyFileSync(dovecot.caPath, join(manager.config, 'ca.pem'));
    const example = readFileSync(new URL('../../systemd/config.toml', import.meta.url), 'utf8');
    const server = `name = "dovecot"\nhost = "127.0.0.1"\nservername = "localhost"\nport = ${dovecot.tlsPort}\nca_file = "ca.pem"`;
    writeFileSync(
      join(manager.config, 'config.toml'),
      example.replace('name = "main"\nhost = "imap.example.com"', server),
      { mode: 0o644 },
    );
    writeFileSync(join(manager.config, 'tokens'), hashToken('webmails-token'), { mode: 0o600 });
    await manager.systemctl('start', 'imap-broker.socket');
    const url = `unix:${manager.path('/run/imap-broker.sock')}`;
    clients = Array.from({ length: SOCKETS }, () => createClient({ url, token: 'webmails-token' }));
  }, 120_000);
  afterAll(async () => {
    for (const client of clients) client.close();
    await manager.stop();
    await dovecot.stop();
  });

  it('fails no request, refuses no connection, and does no write twice', async () => {
    const users = await Promise.all(Array.from({ length: USERS }, (_, index) => visitor(index)));
    const load = new Load(users, manager.path('/run/imap-broker.sock'));
    const pids = new Set<string | undefined>();
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      await load.answered(ANSWERS_BETWEEN);
      pids.add((await manager.show(SERVICE, 'MainPID')).MainPID);
      await manager.systemctl('restart', SERVICE);
    }
    await load.answered(ANSWERS_BETWEEN);
    await load.end();
    pids.add((await manager.show(SERVICE, 'MainPID')).MainPID);
    expect(pids.size).toBe(RESTARTS + 1);
    expect(load.failures).toEqual([]);
    expect(load.connected).toBeGreaterThan(ANSWERS_BETWEEN);
    for (const { user, written } of users) {
      const subjects = await dovecot.doveadm('fetch', '-u', user, 'hdr.subject', 'mailbox', 'INBOX');
      expect((subjects.match(/written \d+/g) ?? []).sort()).toEqual([...written].sort());
    }
    expect(users.flatMap(({ written }) => written).length).toBeGreaterThan(ANSWERS_BETWEEN / 4);
  }, 120_000);

  async function visitor(index: number): Promise<Visitor> {
    const user = newUser('restarted');
    const client = clients[index % SOCKETS] as Client;
    const { session } = await client.session.open({ server: 'dovecot', user, auth: { password: PASSWORD } });
    return { user, mail: client.withSession(session), written: [] };
  }
});

interface Visitor {
  user: string;
  mail: SessionClient;
  /** Subjects that it was told are in the INBOX. */
  written: string[];
}

/**
 * Requests at a steady pace, whatever becomes of those before, up to what the sockets may leave unanswered: a third of
 * them writes. With each of them a new user connects, without a client that would try again.
 */
class Load {
  readonly failures: unknown[] = [];
  connected = 0;
  readonly #path: string;
  readonly #users: readonly Visitor[];
  readonly #running = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #answers = 0;
  #onAnswer: () => void = () => {};

  constructor(users: readonly Visitor[], path: string) {
    this.#users = users;
    this.#path = path;
    this.#timer = setInterval(() => this.#send(), 1000 / REQUESTS_PER_SECOND);
  }

  /** Waits for so many answers more. */
  async answered(count: number): Promise<void> {
    const enough = this.#answers + count;
    while (this.#answers < enough) {
      await new Promise<void>((resolve) => {
        this.#onAnswer = resolve;
      });
    }
  }

  /** Sends no more, and waits for the answers of what was sent. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  #send(): void {
    // On a busy machine a restart may take longer than a client may go on asking.
    if (this.#running.size >= MOST_UNANSWERED) return;
    const turn = this.#sent;
    this.#sent += 1;
    this.#connect();
    const one = this.#ask(this.#users[turn % USERS] as Visitor, turn)
      .catch((error: unknown) => this.failures.push(error))
      .then(() => {
        this.#running.delete(one);
        this.#answers += 1;
        this.#onAnswer();
      });
    this.#running.add(one);
  }

  #connect(): void {
    const socket = connect(this.#path, () => {
      this.connected += 1;
      socket.destroy();
    });
    socket.once('error', (error) => this.failures.push(error));
  }

  async #ask({ mail, written }: Visitor, turn: number): Promise<void> {
    const kind = (turn + Math.floor(turn / USERS)) % 3;
    if (kind === 0) await mail.message.list({ mailbox: 'INBOX' });
    else if (kind === 1) await mail.mailbox.status({ mailboxes: ['INBOX'] });
    else {
      const subject = `written ${turn}`;
      await mail.message.append({ mailbox: 'INBOX', content: new Uint8Array(message({ subject })) });
      written.push(subject);
    }
  }
}
