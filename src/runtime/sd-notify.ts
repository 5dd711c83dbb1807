import { type ChildProcess, spawn } from 'node:child_process';
import type { Log } from './log/log.js';

/**
 * Node has no Unix datagrams, which the protocol of sd_notify(3) wants, so a shell beside the broker sends them: each line
 * is a message, its assignments separated by tabs. The shell stays as long as the broker, whose own process would take
 * longer to fork, and ends when its input does. `systemd-notify` waits until the manager has read the message, so that
 * the manager still finds the sender in the unit (NotifyAccess=all).
 */
const SCRIPT = `
set -f
IFS="$(printf '\\t')"
while IFS= read -r message; do systemd-notify $message; done
`;

/** What tells this process how to reach its service manager. */
export type ServiceEnvironment = Record<string, string | undefined>;

/** Tells the state of the broker to the service manager, where one has started this process (sd_notify(3)). */
export class ServiceManager {
  readonly #socket: string | undefined;
  readonly #watchdogMs: number;
  readonly #log: Log;
  #sender: ChildProcess | undefined;
  #beat: NodeJS.Timeout | undefined;

  /** @param env `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` count; without the first nothing is told */
  constructor(log: Log, env: ServiceEnvironment = process.env) {
    this.#log = log;
    this.#socket = env.NOTIFY_SOCKET;
    const isOurs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(process.pid);
    this.#watchdogMs = isOurs ? Number(env.WATCHDOG_USEC ?? 0) / 1000 : 0;
  }

  /** The broker can serve. From now on the event loop feeds the watchdog: the manager notices a loop that is stuck. */
  ready(status: string): void {
    this.#tell('READY=1', `STATUS=${status}`);
    if (this.#watchdogMs <= 0) return;
    // Three pings in each watchdog interval, for a slow manager or machine.
    this.#beat ??= setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdogMs / 3);
  }

  /** The broker takes up a changed configuration; `ready` ends this state. */
  reloading(): void {
    this.#tell('RELOADING=1', 'STATUS=reloading the configuration');
  }

  /**
   * The broker is about to end.
   * @param withinMs milliseconds that the end takes at most; the manager waits for so long
   */
  stopping(status: string, withinMs: number): void {
    this.#tell('STOPPING=1', `STATUS=${status}`, `EXTEND_TIMEOUT_USEC=${Math.ceil(withinMs * 1000)}`);
  }

  /** Ends the shell: the manager is told nothing any more. */
  dispose(): void {
    clearInterval(this.#beat);
    this.#sender?.stdin?.end();
  }

  #tell(...assignments: string[]): void {
    if (this.#socket === undefined) return;
    this.#sender ??= this.#start(this.#socket);
    this.#sender.stdin?.write(`${assignments.map((one) => one.replace(/\s+/g, ' ')).join('\t')}\n`);
  }

  #start(socket: string): ChildProcess {
    const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', NOTIFY_SOCKET: socket };
    const sender = spawn('/bin/sh', ['-c', SCRIPT], { env, stdio: ['pipe', 'ignore', 'inherit'] });
    sender.unref();
    const gone = (err: unknown) => {
      if (this.#sender !== sender) return;
      // The next message starts another shell.
      this.#sender = undefined;
      this.#log.warn({ err }, 'the helper that sends messages to systemd has ended');
    };
    sender.once('error', gone).once('exit', (code, signal) => gone(new Error(`ended with ${signal ?? code}`)));
    // The end of the shell is logged once, at `exit`.
    sender.stdin?.on('error', () => {});
    return sender;
  }
}
