// @ts-check
// Users who click, are told of new mail and store a message now and then, and what became of all that.
import { setTimeout as sleep } from 'node:timers/promises';
import { RpcError } from '../../../dist/src/client/index.js';
import { password, rawOf } from '../mailbox.mjs';

/** Milliseconds from one click of a user to the next, on average: 24 users make 50 requests a second. */
const CLICK_MS = 480;
/** Every so many clicks of a user are an append. */
const APPEND_EVERY = 20;
const ROWS = 50;
/** What leaves open whether a write was done: it is sent again with its key. */
const UNSURE = ['CONNECTION_LOST', 'UNREACHABLE', 'DRAINING', 'DEADLINE', 'CANCELLED', 'UPSTREAM_UNAVAILABLE'];
/** Milliseconds after which it is given up. */
const UNSURE_MS = 60_000;
const RETRY_MS = 100;
const MOST_RETRY_MS = 1_000;
/** Milliseconds that the last events may take. */
const TOLD_MS = 30_000;
/** Failures that are kept with their words; the others are only counted. */
const WORDS_KEPT = 5;

/**
 * @typedef {object} Visitor
 * @property {string} name
 * @property {import('../../../dist/src/client/index.js').SessionClient} mail
 * @property {string[]} stored subjects that the user was told are stored
 * @property {Set<number>} seen uids of events, and of lists after a resync
 * @property {number[]} told uids of events since the last resync, as often as they came
 * @property {number} clicks
 */

/** @typedef {Awaited<ReturnType<typeof import('../mailbox.mjs').startMailServer>>} MailServer */

export class Visitors {
  counts = { answered: 0, failed: 0, stored: 0, again: 0, slowestListMs: 0, slowestAppendMs: 0 };
  /** @type {string[]} */
  words = [];
  /** @type {Visitor[]} */
  #all = [];
  #stopped = false;
  /** @type {Promise<unknown>} */
  #clicking = Promise.resolve();
  #before;

  /** @param {number} before messages that each inbox has at first, from uid 1 on */
  constructor(before) {
    this.#before = before;
  }

  /**
   * Signs in, each once, and begins a watch for each.
   * @param {import('../../../dist/src/client/index.js').Client} client @param {readonly string[]} names
   */
  async signIn(client, names) {
    this.#all = await Promise.all(names.map((name) => this.#enter(client, name)));
  }

  /** All begin to click. */
  start() {
    this.#clicking = Promise.all(this.#all.map((one) => this.#visit(one)));
  }

  /** Each stores a message, all at the same time. @returns resolves when all have their answers */
  async storeAll() {
    await Promise.all(this.#all.map((one) => this.#append(one)));
  }

  /** Resolves when the last click is answered. */
  async stop() {
    this.#stopped = true;
    await this.#clicking;
  }

  /** Messages that users were told of, by an event or by the list after a resync. */
  get told() {
    return this.#all.reduce((sum, { seen }) => sum + seen.size, 0);
  }

  /**
   * Holds what users were told against what the IMAP server has.
   * @param {MailServer} server
   */
  async verify(server) {
    const result = { lost: 0, doubled: 0, missed: 0, toldTwice: 0 };
    const end = performance.now() + TOLD_MS;
    for (const { name, stored, seen, told } of this.#all) {
      const messages = server.inbox(name).slice(this.#before);
      const subjects = messages.map(({ raw }) => /^Subject: (.*)$/m.exec(raw)?.[1] ?? '');
      result.doubled += subjects.length - new Set(subjects).size;
      result.lost += stored.filter((subject) => !subjects.includes(subject)).length;
      const missing = () => messages.filter(({ uid }) => !seen.has(uid)).length;
      while (missing() > 0 && performance.now() < end) await sleep(RETRY_MS);
      result.missed += missing();
      result.toldTwice += told.length - new Set(told).size;
    }
    return result;
  }

  /**
   * @param {import('../../../dist/src/client/index.js').Client} client @param {string} name
   * @returns {Promise<Visitor>}
   */
  async #enter(client, name) {
    const { session } = await client.session.open({ server: 'demo', user: name, auth: { password } });
    const mail = client.withSession(session);
    /** @type {Visitor} */
    const one = { name, mail, stored: [], seen: new Set(), told: [], clicks: 0 };
    await mail.watch({
      mailboxes: ['INBOX'],
      onEvent: (event) => {
        if (event.type !== 'new') return;
        for (const { uid } of event.messages) {
          one.seen.add(uid);
          one.told.push(uid);
        }
      },
      onResync: async () => {
        one.told.length = 0;
        const { messages } = await mail.message.list({ mailbox: 'INBOX', limit: ROWS, fields: ['flags'] });
        for (const { uid } of messages) if (uid > this.#before) one.seen.add(uid);
      },
      onError: (error) => this.#failed(error),
      onEnd: (error) => this.#failed(error),
    });
    return one;
  }

  /** @param {Visitor} one */
  async #visit(one) {
    // Not all at the same moment, and not all to store a message with the same click.
    one.clicks = Math.floor(Math.random() * APPEND_EVERY);
    await sleep(Math.random() * CLICK_MS);
    while (!this.#stopped) {
      const begun = performance.now();
      await (one.clicks % APPEND_EVERY === 0 ? this.#append(one) : this.#list(one));
      await sleep(Math.max(0, CLICK_MS * (0.5 + Math.random()) - (performance.now() - begun)));
    }
  }

  /** @param {Visitor} one */
  async #list(one) {
    one.clicks += 1;
    const took = await this.#counted(() => one.mail.message.list({ mailbox: 'INBOX', limit: ROWS }));
    this.counts.slowestListMs = Math.max(this.counts.slowestListMs, took);
  }

  /** @param {Visitor} one */
  async #append(one) {
    one.clicks += 1;
    const took = await this.#counted(() => this.#store(one, `Note ${one.clicks} of ${one.name}`));
    this.counts.slowestAppendMs = Math.max(this.counts.slowestAppendMs, took);
  }

  /** @param {() => Promise<unknown>} click @returns {Promise<number>} milliseconds that it took */
  async #counted(click) {
    const begun = performance.now();
    try {
      await click();
      this.counts.answered += 1;
    } catch (error) {
      this.#failed(error);
    }
    return performance.now() - begun;
  }

  /** Stores a message as a careful application does: with a key, sent again until an answer says what became of it. @param {Visitor} one @param {string} subject */
  async #store({ name, mail, stored }, subject) {
    const raw = rawOf({ from: `Anna Lindqvist <${name}>`, subject, text: 'Do not forget.\n' }, new Date());
    const end = performance.now() + UNSURE_MS;
    for (;;) {
      try {
        await mail.message.append({ mailbox: 'INBOX', content: raw, idempotencyKey: subject, timeoutMs: 30_000 });
        stored.push(subject);
        this.counts.stored += 1;
        return;
      } catch (error) {
        const unsure = error instanceof RpcError && UNSURE.includes(error.kind);
        if (!unsure || performance.now() > end) throw error;
        this.counts.again += 1;
        await sleep(Math.min(error.retryAfterMs ?? RETRY_MS, MOST_RETRY_MS));
      }
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    this.counts.failed += 1;
    if (this.words.length < WORDS_KEPT) this.words.push(String(error));
  }
}
