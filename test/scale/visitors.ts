import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Client, createClient, RpcError, type SessionClient, type WatchEvent } from '../../src/client/index.js';
import { PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { TOKEN } from '../support/running-broker.js';
import { type Cluster, SHARDS } from './cluster.js';

/** After these a web application sends a read again, and a write with its key: it does not know what became of it. */
const AGAIN = [
  'CONNECTION_LOST',
  'UNREACHABLE',
  'DRAINING',
  'DEADLINE',
  'CANCELLED',
  'UPSTREAM_UNAVAILABLE',
  'RATE_LIMITED',
];
/** Milliseconds that a web application waits for an answer. */
const TIMEOUT_MS = 20_000;
/** Milliseconds within which a web application sends a request again: longer than a proxy is killed again and again. */
const PATIENCE_MS = 60_000;

/** A user of the site, whose session is opened once, with a watch of the inbox. */
interface Visitor {
  user: string;
  mail: SessionClient;
  /** Subjects that the user was told are stored. */
  stored: string[];
  /** Uids of events, and of lists after a resync. */
  seen: Set<number>;
  /** Uids of events since the last resync, as often as they came. */
  told: number[];
  uidValidity: number;
}

/** What became of the requests of a load. */
export interface LoadReport {
  requests: number;
  /** Errors that remained after all that an application does about them. */
  failed: string[];
  /** Reads that the application had to send again itself, by their errors: the client does it for lost sockets. */
  again: Record<string, number>;
  slowestMs: number;
}

/** The users of a site behind several brokers, as one worker of the site has them. */
export class Visitors {
  readonly #cluster: Cluster;
  readonly #client: Client;
  readonly #all: Visitor[] = [];
  #killed = false;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#client = createClient({ url: cluster.url, token: TOKEN, shards: SHARDS });
  }

  /** Users with the same names each time, so that their shards are the same. */
  static async open(cluster: Cluster, count: number): Promise<Visitors> {
    const visitors = new Visitors(cluster);
    const names = Array.from({ length: count }, (_, index) => `visitor${index}`);
    visitors.#all.push(...(await Promise.all(names.map((name) => visitors.#open(name)))));
    return visitors;
  }

  get count(): number {
    return this.#all.length;
  }

  close(): void {
    this.#client.close();
  }

  /** Each user stores messages, one after the other. @returns milliseconds of the slowest */
  async append(what: string, each: number): Promise<number> {
    let slowest = 0;
    const work = this.#all.map(async (visitor) => {
      for (let count = 0; count < each; count += 1) {
        const begun = performance.now();
        await store(visitor, `${what} ${count} of ${visitor.user}`);
        slowest = Math.max(slowest, performance.now() - begun);
        await pause(50);
      }
    });
    await Promise.all(work);
    return slowest;
  }

  /**
   * Requests at a steady pace, whatever their answers take: lists, folders, messages, flags, and a keyed append every
   * tenth time.
   * @returns a function that ends the load, when all is answered
   */
  load(what: string, perSecond: number): () => Promise<LoadReport> {
    const report: LoadReport = { requests: 0, failed: [], again: {}, slowestMs: 0 };
    const running = new Set<Promise<void>>();
    const begun = performance.now();
    const send = () => {
      // As many as are due by the clock: timers run late beside other work.
      while (report.requests < ((performance.now() - begun) * perSecond) / 1000) {
        const request = this.#request(what, report.requests, report).finally(() => running.delete(request));
        running.add(request);
        report.requests += 1;
      }
    };
    const timer = setInterval(send, 1000 / perSecond);
    return async () => {
      clearInterval(timer);
      await Promise.all(running);
      return report;
    };
  }

  /**
   * Holds what users were told against what the IMAP server has. It has refused no connection for its number, as long as
   * no broker was killed: the server counts the connections of a killed one until it hears that they are gone.
   */
  async verify({ killed = false } = {}): Promise<void> {
    this.#killed ||= killed;
    if (!this.#killed) expect(await this.#cluster.dovecot.log()).not.toContain('Maximum number of connections');
    for (const { user, stored, seen, told } of this.#all) {
      const fetched = await this.#cluster.dovecot.doveadm('fetch', '-u', user, 'hdr.subject uid', 'mailbox', 'INBOX');
      const subjects = fetched.match(/(?<=^hdr\.subject: ).*$/gm) ?? [];
      expect([...subjects].sort()).toEqual([...stored].sort());
      await expect.poll(() => seen.size, { timeout: 20_000 }).toBe(stored.length);
      expect(told).toHaveLength(new Set(told).size);
    }
  }

  async #open(user: string): Promise<Visitor> {
    const { session } = await this.#client.session.open({ server: 'dovecot', user, auth: { password: PASSWORD } });
    const mail = this.#client.withSession(session);
    const visitor: Visitor = { user, mail, stored: [], seen: new Set(), told: [], uidValidity: 0 };
    const list = () => mail.message.list({ mailbox: 'INBOX', limit: 200, fields: ['flags'] });
    visitor.uidValidity = (await list()).uidValidity;
    await mail.watch({
      mailboxes: ['INBOX'],
      onEvent: (event) => note(visitor, event),
      onResync: async () => {
        visitor.told.length = 0;
        const { messages } = await patiently(list);
        for (const { uid } of messages) visitor.seen.add(uid);
      },
    });
    return visitor;
  }

  async #request(what: string, number: number, report: LoadReport): Promise<void> {
    const visitor = this.#all[number % this.#all.length] as Visitor;
    const begun = performance.now();
    try {
      await click(visitor, `${what} ${number}`, Math.floor(number / this.#all.length), ({ kind, message }) => {
        const why = `${kind} ${message}`;
        report.again[why] = (report.again[why] ?? 0) + 1;
      });
    } catch (error) {
      report.failed.push(`${number}: ${error}`);
    }
    report.slowestMs = Math.max(report.slowestMs, performance.now() - begun);
  }
}

function note({ seen, told }: Visitor, event: WatchEvent): void {
  if (event.type !== 'new') return;
  for (const { uid } of event.messages) {
    seen.add(uid);
    told.push(uid);
  }
}

/** What a user does in the given round. */
async function click(
  visitor: Visitor,
  subject: string,
  round: number,
  onAgain: (error: RpcError) => void,
): Promise<unknown> {
  const { mail, seen, uidValidity } = visitor;
  const known = [...seen].at(-1);
  const kind = round % 10;
  if (kind === 3) return store(visitor, `${subject} of ${visitor.user}`);
  if (kind === 5) return patiently(() => mail.mailbox.list({}), onAgain);
  if (known !== undefined && kind === 7) {
    return patiently(() => mail.message.get({ mailbox: 'INBOX', uidValidity, uids: [known] }), onAgain);
  }
  if (known !== undefined && kind === 9) {
    const wish = { mailbox: 'INBOX', uidValidity, uids: [known], flags: ['\\Seen'] };
    // To set a flag twice does no harm.
    return patiently(() => mail.message.flag({ ...wish, action: 'add' }));
  }
  return patiently(() => mail.message.list({ mailbox: 'INBOX', limit: 50 }), onAgain);
}

/** Stores a message as a careful application does: with a key, sent again until it is known what became of it. */
async function store({ mail, stored }: Visitor, subject: string): Promise<void> {
  const content = new Uint8Array(message({ subject }));
  const wish = { mailbox: 'INBOX', content, idempotencyKey: subject, repeat: true, timeoutMs: TIMEOUT_MS };
  await patiently(() => mail.message.append(wish));
  stored.push(subject);
}

/** Sends a request again after errors that an application sends it again after, no sooner than they say. */
async function patiently<T>(send: () => Promise<T>, onAgain: (error: RpcError) => void = () => {}): Promise<T> {
  const endAt = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const again = error instanceof RpcError && AGAIN.includes(error.kind) && performance.now() < endAt;
      if (!again) throw error;
      onAgain(error);
      await pause(error.retryAfterMs ?? 0);
    }
  }
}
