import type { ImapConnection } from '../imap/connection/connection.js';
import { isOutOfReach } from '../imap/connection/refused-folder.js';
import { giveUpIfSilent } from '../imap/connection/silence.js';
import { beginIdle, canIdle, isIdleRefused } from '../imap/mailboxes/idle.js';
import { notifyOf } from '../imap/mailboxes/notify.js';
import type { Lease } from '../pool/jobs/job.js';
import { Bell } from './bell.js';
import type { WatchedFolder } from './watched-folder.js';

export interface WatchTimes {
  /** Milliseconds after which an IDLE is ended and begun again, which proves that the server is there and flushes it. */
  heartbeatMs: number;
  /**
   * Milliseconds between looks at folders that it does not stay with, and at all where the server has no IDLE. NOTIFY tells
   * sooner, but Dovecot now and then forgets to.
   */
  pollMs: number;
  /** Milliseconds without a question after which the connection idles again. */
  quietMs: number;
  /** Milliseconds before the first try to come back when the connection was lost; doubled with each that fails. */
  retryMs: number;
  /** Milliseconds that a connection or an IDLE must last before earlier ones that ended sooner are forgotten. */
  stayMs: number;
}

export interface StationEvents {
  /** The server has told of a change, or somebody has asked: the folder is to be confirmed. */
  onNews(): void;
  /** A folder that is not selected changed. */
  onOther(mailbox: string): void;
  /** The server has just confirmed the folder. */
  onProof(): void;
  /** The connection has ended. */
  onLost(): void;
  /** The server ends each IDLE soon after it began; told once, until one lasts. */
  onRestless(): void;
}

/** Milliseconds in which news that belong together come. */
const TOGETHER_MS = 5;
/** Milliseconds before the next try to be in the folder, where another connection is at work on it. */
const AWAY_MS = 50;
/** IDLEs in a row that ended too soon, at which that is told. */
const RESTLESS = 3;

/**
 * Stays with a folder on one connection: hears from the server what changes, answers what is asked of the folder, and
 * leaves when somebody needs the connection more.
 */
export class Station {
  readonly #folder: WatchedFolder;
  readonly #times: WatchTimes;
  readonly #events: StationEvents;
  readonly #bell = new Bell();
  #others: readonly string[] = [];
  /** The others of which NOTIFY was asked for on this connection. */
  #notified = '';
  #called = false;
  #heard = false;
  #ended = false;
  #idleRefused = false;
  #quietAt = 0;
  /** IDLEs in a row that the server ended by itself, too soon. */
  #cutShort = 0;
  /** `performance.now()` until when no IDLE is begun because of them. */
  #restUntil = 0;

  constructor(folder: WatchedFolder, times: WatchTimes, events: StationEvents) {
    this.#folder = folder;
    this.#times = times;
    this.#events = events;
  }

  /** Folders beside its own that are watched. */
  set others(mailboxes: readonly string[]) {
    if (mailboxes.join('\0') === this.#others.join('\0')) return;
    this.#others = mailboxes;
    this.#bell.ring();
  }

  /** Leaves as soon as the server lets it. */
  end(): void {
    this.#ended = true;
    this.#bell.ring();
  }

  /** The work of a job. @throws BrokerError CONNECTION_LOST */
  async attend(connection: ImapConnection, { wanted }: Lease): Promise<void> {
    const { reader } = this.#folder;
    const ring = () => this.#bell.ring();
    const me = {
      call: () => {
        this.#called = true;
        ring();
      },
    };
    wanted.addEventListener('abort', ring);
    const unlisten = connection.onClose(() => {
      this.#events.onLost();
      ring();
    });
    connection.onStatus = (mailbox) => this.#events.onOther(mailbox);
    reader.view.onHeard = () => {
      this.#heard = true;
      ring();
    };
    reader.setStation(me);
    this.#notified = '';
    try {
      this.#events.onNews();
      while (!wanted.aborted && !this.#ended) await this.#turn(connection);
    } finally {
      wanted.removeEventListener('abort', ring);
      unlisten();
      connection.onStatus = undefined;
      reader.view.onHeard = undefined;
      reader.leaveStation(me);
    }
  }

  async #turn(connection: ImapConnection): Promise<void> {
    const { reader } = this.#folder;
    if (this.#called) {
      this.#called = false;
      this.#heard = false;
      await reader.serve(connection);
      this.#quietAt = performance.now() + this.#times.quietMs;
      // A server that refused the folder has proven nothing of it.
      if (connection.isFollowedBy(reader.view)) this.#events.onProof();
    } else if (this.#heard) {
      await this.#bell.wait(TOGETHER_MS);
      this.#heard = false;
      this.#events.onNews();
    } else if (performance.now() < this.#quietAt) {
      await this.#bell.wait(this.#quietAt - performance.now());
    } else if (this.#notified !== this.#others.join('\0')) {
      // Where the server refuses, the polls tell of them.
      this.#notified = this.#others.join('\0');
      await notifyOf(connection, this.#others);
    } else if (this.#idleRefused || !canIdle(connection)) {
      if (!(await this.#bell.wait(this.#times.pollMs))) this.#events.onNews();
    } else if (!(await this.#isHere(connection))) {
      await this.#bell.wait(AWAY_MS);
    } else if (performance.now() < this.#restUntil) {
      await this.#bell.wait(this.#restUntil - performance.now());
    } else {
      await this.#idle(connection);
    }
  }

  /** Whether the connection follows the folder: the first look at it may have been answered on another one. */
  async #isHere(connection: ImapConnection): Promise<boolean> {
    const { reader } = this.#folder;
    const stayed = connection.isFollowedBy(reader.view);
    try {
      const here = await reader.moveTo(connection);
      // To place the view on this connection has confirmed it.
      if (here && !stayed) this.#events.onProof();
      return here;
    } catch (error) {
      if (!connection.usable || !isOutOfReach(error)) throw error;
      // The next look tells that the folder is gone.
      this.#events.onNews();
      return false;
    }
  }

  async #idle(connection: ImapConnection): Promise<void> {
    const { view } = this.#folder.reader;
    const idle = beginIdle(connection);
    const since = performance.now();
    let stopped = false;
    const onOver = () => {
      // A ring for an end that was asked for would end the next one at once, and so on for ever.
      if (!stopped) this.#bell.ring();
    };
    idle.ended.then(onOver, onOver);
    await this.#bell.wait(this.#times.heartbeatMs);
    // An IDLE that the server has ended itself must not be ended again: the DONE would be a command of its own.
    stopped = connection.usable && idle.stop();
    const attended = giveUpIfSilent(connection);
    try {
      const barrier = await idle.ended;
      if (connection.isFollowedBy(view) && !connection.troubled) {
        view.confirm(barrier);
        this.#events.onProof();
      } else this.#events.onNews();
    } catch (error) {
      if (!isIdleRefused(error, connection)) throw error;
      this.#idleRefused = true;
      return;
    } finally {
      attended();
    }
    this.#noteIdle(performance.now() - since, stopped);
  }

  /** Of an IDLE that has ended. @param stopped that it was asked to */
  #noteIdle(lastedMs: number, stopped: boolean): void {
    const { stayMs, retryMs, pollMs } = this.#times;
    if (lastedMs >= stayMs) this.#cutShort = 0;
    else if (!stopped) {
      this.#restUntil = performance.now() + Math.min(pollMs, retryMs * 2 ** this.#cutShort);
      this.#cutShort += 1;
      if (this.#cutShort === RESTLESS) this.#events.onRestless();
    }
  }
}
