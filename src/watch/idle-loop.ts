import type { ImapConnection } from '../imap/connection/connection.js';
import { isOutOfReach } from '../imap/connection/refused-folder.js';
import { giveUpIfSilent } from '../imap/connection/silence.js';
import { beginIdle, canIdle, isIdleRefused } from '../imap/mailboxes/idle.js';
import { type Notified, notifyOf } from '../imap/mailboxes/notify.js';
import type { Lease } from '../pool/job.js';
import { WakeSignal } from './wake-signal.js';
import type { WatchedFolder } from './watched-folder.js';

export interface WatchTimes {
  /** Milliseconds after which an IDLE is renewed, which shows that the server answers and makes it send all changes. */
  heartbeatMs: number;
  /**
   * Milliseconds between polls of the folders that are not the loop's, and of all where the server has no IDLE.
   * NOTIFY reports changes sooner, but Dovecot occasionally misses some.
   */
  pollMs: number;
  /** Milliseconds without a request after which the connection begins IDLE again. */
  quietMs: number;
  /** Milliseconds before the first retry after the connection was lost; doubled with each failure. */
  retryMs: number;
  /** Milliseconds that a connection or an IDLE must last to reset the count of earlier failures. */
  stayMs: number;
}

export interface IdleLoopEvents {
  /** The folder is to be confirmed: the server reported a change, or a check is due. */
  onNews(): void;
  /** A folder that is not selected changed. */
  onOther(mailbox: string): void;
  /** The server told something of a folder's name or subscription. */
  onListed(): void;
  /** The server has just confirmed the folder. */
  onProof(): void;
  /** The connection has ended. */
  onLost(): void;
  /** The server ends each IDLE soon after it began; called once, until an IDLE lasts. */
  onRestless(): void;
}

/** What NOTIFY is sent for where nothing but the loop's own folder is watched: it is not sent at all. */
const NOTHING = JSON.stringify({ mailboxes: [], folders: false } satisfies Notified);
/** Milliseconds to wait for further changes that belong together. */
const TOGETHER_MS = 5;
/** Milliseconds before the next try to select the folder, while another connection is at work on its view. */
const AWAY_MS = 50;
/** So many IDLEs in a row that ended too soon make `onRestless` be called. */
const RESTLESS = 3;

/**
 * Stays with a folder on one connection: receives its changes from the server, answers questions about the folder, and
 * leaves when another job needs the connection.
 */
export class IdleLoop {
  readonly #folder: WatchedFolder;
  readonly #times: WatchTimes;
  readonly #events: IdleLoopEvents;
  readonly #wakeSignal = new WakeSignal();
  #others: Notified = { mailboxes: [], folders: false };
  /** That for which NOTIFY was sent on this connection. */
  #notified = NOTHING;
  #called = false;
  #heard = false;
  #ended = false;
  #idleRefused = false;
  #quietAt = 0;
  /** IDLEs in a row that the server ended by itself, too soon. */
  #cutShort = 0;
  /** `performance.now()` until when no IDLE is begun because earlier ones were cut short. */
  #restUntil = 0;

  constructor(folder: WatchedFolder, times: WatchTimes, events: IdleLoopEvents) {
    this.#folder = folder;
    this.#times = times;
    this.#events = events;
  }

  /** Watched folders other than the loop's own, and whether it is watched which folders there are. */
  set others(others: Notified) {
    if (JSON.stringify(others) === JSON.stringify(this.#others)) return;
    this.#others = others;
    this.#wakeSignal.send();
  }

  /** Leaves the folder as soon as the current command allows. */
  end(): void {
    this.#ended = true;
    this.#wakeSignal.send();
  }

  /** The work of a job: ends when the loop ends or the connection is wanted. @throws BrokerError CONNECTION_LOST */
  async run(connection: ImapConnection, { wanted }: Lease): Promise<void> {
    const { reader } = this.#folder;
    const wake = () => this.#wakeSignal.send();
    const me = {
      call: () => {
        this.#called = true;
        wake();
      },
    };
    wanted.addEventListener('abort', wake);
    const unlisten = connection.onClose(() => {
      this.#events.onLost();
      wake();
    });
    connection.onStatus = (mailbox) => this.#events.onOther(mailbox);
    connection.onListed = () => this.#events.onListed();
    reader.view.onHeard = () => {
      this.#heard = true;
      wake();
    };
    this.#notified = NOTHING;
    // A call that was not answered on the last connection is answered by a lease meanwhile.
    this.#called = false;
    reader.setHolder(me);
    try {
      this.#events.onNews();
      while (!wanted.aborted && !this.#ended) await this.#turn(connection);
    } finally {
      wanted.removeEventListener('abort', wake);
      unlisten();
      connection.onStatus = undefined;
      connection.onListed = undefined;
      reader.view.onHeard = undefined;
      reader.removeHolder(me);
    }
  }

  async #turn(connection: ImapConnection): Promise<void> {
    const { reader } = this.#folder;
    if (this.#called) {
      this.#called = false;
      this.#heard = false;
      await reader.serve(connection);
      this.#quietAt = performance.now() + this.#times.quietMs;
      // Where the server refused the folder, the answer proves nothing about the folder.
      if (connection.isFollowedBy(reader.view)) this.#events.onProof();
    } else if (this.#heard) {
      await this.#wakeSignal.wait(TOGETHER_MS);
      this.#heard = false;
      this.#events.onNews();
    } else if (performance.now() < this.#quietAt) {
      await this.#wakeSignal.wait(this.#quietAt - performance.now());
    } else if (this.#notified !== JSON.stringify(this.#others)) {
      // Where the server refuses NOTIFY, the polls find the changes.
      this.#notified = JSON.stringify(this.#others);
      const { folders } = this.#others;
      const accepted = await notifyOf(connection, this.#others);
      // What has changed since the last look at the folders is told by nothing else.
      if (accepted && folders) this.#events.onListed();
    } else if (this.#idleRefused || !canIdle(connection)) {
      if (!(await this.#wakeSignal.wait(this.#times.pollMs))) this.#events.onNews();
    } else if (!(await this.#isHere(connection))) {
      await this.#wakeSignal.wait(AWAY_MS);
    } else if (performance.now() < this.#restUntil) {
      await this.#wakeSignal.wait(this.#restUntil - performance.now());
    } else {
      await this.#idle(connection);
    }
  }

  /** Whether the view follows this connection: the first question may have been answered on another connection. */
  async #isHere(connection: ImapConnection): Promise<boolean> {
    const { reader } = this.#folder;
    const stayed = connection.isFollowedBy(reader.view);
    try {
      const here = await reader.moveTo(connection);
      // Placing the view on this connection has confirmed the view.
      if (here && !stayed) this.#events.onProof();
      return here;
    } catch (error) {
      if (!connection.usable || !isOutOfReach(error)) throw error;
      // The next sync finds that the folder is gone.
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
      // A signal for an IDLE that the loop stopped itself would end the next IDLE at once, and so on for ever.
      if (!stopped) this.#wakeSignal.send();
    };
    idle.ended.then(onOver, onOver);
    await this.#wakeSignal.wait(this.#times.heartbeatMs);
    // An IDLE that the server has ended must not be ended again: the server would take the DONE for a new command.
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

  /** Notes the end of an IDLE. @param stopped whether the loop ended it, not the server */
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
