// @ts-check
// What the demo prints: a line of counts each second, and sentences between them.
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 1_000;
/** Milliseconds that a step of the demo may take on a machine that is busy with other things. */
const PATIENCE_MS = 90_000;
const BROKERS = '   1   2   3';
/** What the columns are; each is as wide as its name, and blanks before it. */
const HEAD = [
  '     ',
  '  answered',
  '  failed',
  `  requests/s at${BROKERS}`,
  `  users at${BROKERS}`,
  '  stored',
  '  told',
  '  logins',
];

/** @typedef {{ brokers: readonly import('./brokers.mjs').Broker[], visitors: import('./visitors.mjs').Visitors, mail: import('./visitors.mjs').MailServer }} Scene */

/** Looks at the brokers each second and prints what it sees. */
export class Lines {
  #scene;
  #begun = performance.now();
  #ended = false;
  #looks = 0;

  /** @param {Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  /** Prints until {@link end}. */
  async print() {
    const { brokers, visitors, mail } = this.#scene;
    let before = brokers.map(({ requests }) => requests);
    let last = performance.now();
    while (!this.#ended) {
      await sleep(EVERY_MS);
      await Promise.all(brokers.map((broker) => broker.look()));
      const seconds = (performance.now() - last) / 1_000;
      last = performance.now();
      const rates = brokers.map(({ requests }, at) =>
        Math.max(0, Math.round((requests - (before[at] ?? 0)) / seconds)),
      );
      before = brokers.map(({ requests }) => requests);
      this.#looks += 1;
      if (this.#ended) return;
      const three = (/** @type {(index: number) => number} */ value) =>
        brokers.map(({ runs }, at) => (runs ? `${value(at)}` : '-').padStart(4)).join('');
      const { answered, failed, stored } = visitors.counts;
      const users = three((at) => brokers[at]?.users ?? 0);
      const seen = [answered, failed, three((at) => rates[at] ?? 0), users, stored, visitors.told, mail.logins()];
      row([`${Math.round((last - this.#begun) / 1_000)} s`, ...seen.map(String)]);
    }
  }

  end() {
    this.#ended = true;
  }

  /** Says what happens next, and what the columns are. @param {string} text */
  step(text) {
    console.log(`\n${text}`);
    row(HEAD);
  }

  /**
   * Waits until something is true of what the brokers told last.
   * @param {string} what @param {() => boolean} holds
   */
  async until(what, holds) {
    const end = performance.now() + PATIENCE_MS;
    do {
      await this.looks(1);
      if (performance.now() > end) throw new Error(`It did not happen within ${PATIENCE_MS / 1_000} seconds: ${what}`);
    } while (!holds());
  }

  /** Waits until so many more lines are printed. @param {number} count */
  async looks(count) {
    const end = this.#looks + count;
    while (this.#looks < end && !this.#ended) await sleep(EVERY_MS / 20);
  }
}

/** @param {readonly string[]} cells */
function row(cells) {
  console.log(cells.map((cell, at) => cell.padStart(HEAD[at]?.length ?? 0)).join(''));
}
