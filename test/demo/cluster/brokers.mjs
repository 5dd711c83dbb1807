// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../../dist/src/client/index.js';
import { serve } from '../broker-process.mjs';

/** Seconds that a socket lives: few, so that the demo need not wait for a quarter of an hour. */
const SOCKET_SECONDS = 5;
const MOST_USERS = 1_000;
/** Milliseconds that the broker has to answer; a broker that is busy is asked again a second later. */
const ANSWER_MS = 900;
/** What users ask for, not what operators or the demo itself do. */
const OF_USERS = /^(?:message|session|events|watch\.start)\b/;

/** @typedef {{ folder: string, imapPort: number, redisPort: number, token: string, hash: string }} Setting what the brokers have in common */

/** One of the brokers: a process with a file, a port and a monitor of its own. */
export class Broker {
  /** @type {ReturnType<typeof serve> | undefined} */
  #running;
  /** @type {import('../../../dist/src/client/index.js').Client | undefined} */
  #operator;
  #over = false;
  #config;
  #token;
  #monitorPort;
  /** Requests answered by its earlier processes, and by the present one when it was last asked. */
  #earlier = 0;
  #now = 0;
  /** Users who had a socket here that watches their mail, when the broker was last asked. */
  users = 0;

  /** @param {number} index @param {import('./servers.mjs').BrokerPorts} ports @param {Setting} setting */
  constructor(index, ports, setting) {
    this.name = `broker ${index + 1}`;
    this.url = `ws://127.0.0.1:${ports.port}`;
    this.#token = setting.token;
    this.#monitorPort = ports.monitorPort;
    const folder = join(setting.folder, `${index + 1}`);
    mkdirSync(folder);
    this.#config = join(folder, 'config.toml');
    writeFileSync(this.#config, configuration(index, ports, setting));
  }

  get runs() {
    return this.#running !== undefined;
  }

  /** Requests of users that it has answered so far, as far as it could tell before it was killed. */
  get requests() {
    return this.#earlier + this.#now;
  }

  /** Starts its process; resolves when it listens. */
  async start() {
    if (this.#over) throw new Error('The demo is about to end.');
    const running = serve(this.#config);
    this.#running = running;
    await running;
    if (this.#running === running) {
      this.#operator = createClient({ url: this.url, token: this.#token, timeoutMs: ANSWER_MS });
    }
  }

  async kill() {
    await this.#end('SIGKILL');
  }

  /** Ends it for good. */
  async stop() {
    this.#over = true;
    await this.#end('SIGTERM');
  }

  /** Asks it what an operator would ask. */
  async look() {
    const operator = this.#operator;
    if (!operator) return;
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const [{ watches }, text] = await Promise.all([
        operator.watch.list({ limit: MOST_USERS }),
        fetch(`http://127.0.0.1:${this.#monitorPort}/metrics`, { signal }).then((answer) => answer.text()),
      ]);
      if (operator !== this.#operator) return;
      this.users = watches.filter(({ sockets }) => sockets > 0).length;
      const requests = [...text.matchAll(/^imap_broker_requests_total\{method="([^"]+)".* (\d+)$/gm)];
      const ofUsers = requests.filter(([, method = '']) => OF_USERS.test(method));
      this.#now = ofUsers.reduce((sum, [, , count]) => sum + Number(count), 0);
    } catch {
      // It is asked again with the next look.
    }
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    const running = this.#running;
    this.#operator?.close();
    this.#running = this.#operator = undefined;
    this.#earlier += this.#now;
    this.#now = this.users = 0;
    const process = await running?.catch(() => undefined);
    await process?.end(signal);
  }
}

/** @param {number} index @param {import('./servers.mjs').BrokerPorts} ports @param {Setting} setting */
function configuration(index, { port, monitorPort }, { folder, imapPort, redisPort, hash }) {
  // The first one makes the keys that all have.
  const session = index === 0 ? 'state_dir = "."' : `key_file = "${join(folder, '1', 'session.keys')}"`;
  return `[[listener]]
host = "127.0.0.1"
port = ${port}

[[server]]
name = "demo"
host = "127.0.0.1"
port = ${imapPort}
tls = "none"

[[tenant]]
name = "webmail"
token_hashes = ["${hash}"]
scopes = ["user", "admin"]

[session]
${session}

[cluster]
brokers = 3
name = "broker-${index + 1}"

[shared]
url = "redis://127.0.0.1:${redisPort}"

[limits]
socket_seconds = ${SOCKET_SECONDS}

[monitor]
port = ${monitorPort}
`;
}
