import { protocolLimits } from '../protocol/limits.js';
import { boundedMs, orAborted, Pace, sleep } from './backoff.js';
import { guarded } from './callback.js';
import { RpcError, type RpcErrorDetails, rpcError } from './errors.js';
import { type MethodName, methods } from './generated/methods.js';
import { Link } from './link.js';
import type { Settings } from './options.js';
import { Ended, Patience } from './patience.js';
import { onAbort } from './shared-signal.js';
import { measured, toBase64 } from './streams/upload-content.js';
import type { Connect } from './transport.js';
import { unixAddress } from './unix-address.js';
import type { Watch, WatchOptions } from './watches/watch.js';
import { type WatchCallOptions, Watches } from './watches/watches.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_PENDING = 1000;
/** Milliseconds until a call is told that nothing takes connections, or that what takes them is no broker. */
const REFUSED_MS = 5_000;
const SILENT_MS = 10_000;
/** Milliseconds without a socket in which a broker that was there is taken to restart: calls wait for it. */
const RESTART_MS = 30_000;

/** What all sockets of a client have in common. */
export class Common {
  /** Requests that are under way. */
  pending = 0;
  #seenAt = Number.NEGATIVE_INFINITY;

  /** There is a broker, or there was one until now. */
  seen(): void {
    this.#seenAt = performance.now();
  }

  /** Whether the broker is away for so short a time that it may be about to come back. */
  get mayRestart(): boolean {
    return performance.now() - this.#seenAt < RESTART_MS;
  }
}

/** The requests of a client on one socket at a time. */
export class ClientCore {
  readonly #connect: Connect;
  readonly #options: Settings;
  readonly #links = new Set<Link>();
  readonly #watches = new Watches((method, params, options) => this.call(method, params, options));
  /** A function for each call under way that ends it; Node would warn of a leak if all calls listened to one signal. */
  readonly #ends = new Set<() => void>();
  #closed = false;
  #link: Link | undefined;
  readonly #pace: Pace;
  /** Why the last socket did not open. */
  #failure: Pick<Error, 'message' | 'cause'> | undefined;
  readonly #common: Common;

  constructor(connect: Connect, options: Settings, common = new Common()) {
    this.#connect = connect;
    this.#options = options;
    this.#common = common;
    // A call that waits for as long as the client connects finds at least one attempt in that time.
    this.#pace = new Pace(options.connectTimeoutMs ?? REFUSED_MS);
  }

  async call(method: MethodName, params: Record<string, unknown>, options: WatchCallOptions = {}): Promise<unknown> {
    const { signal } = options;
    const { timeoutMs = DEFAULT_TIMEOUT_MS, maxPending = DEFAULT_PENDING } = this.#options;
    const limitMs = typeof params.timeoutMs === 'number' ? params.timeoutMs : timeoutMs;
    if (this.#common.pending >= maxPending) {
      const message = `${maxPending} requests of this client are under way already.`;
      throw rpcError(message, { kind: 'RATE_LIMITED', executed: 'no', retryAfterMs: 1000 });
    }
    this.#common.pending += 1;
    const end = new AbortController();
    const onEnd = () => end.abort(new Ended('CANCELLED', 'The client was closed.', true));
    this.#ends.add(onEnd);
    let unlisten = () => {};
    try {
      const cancel = () => end.abort(new Ended('CANCELLED', 'The caller cancelled the request.'));
      if (signal) unlisten = onAbort(signal, cancel);
      if (signal?.aborted) cancel();
      if (this.#closed) onEnd();
      const prepared = method === 'message.append' ? await prepareAppend(params) : { params };
      return await this.#attempt(method, prepared, performance.now() + limitMs, end.signal, options);
    } finally {
      this.#common.pending -= 1;
      unlisten();
      this.#ends.delete(onEnd);
    }
  }

  watch(options: WatchOptions): Promise<Watch> {
    return this.#watches.start(options);
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#watches.close();
    for (const link of this.#links) link.close();
  }

  /** Sends a request, again on another socket where nothing can have been done twice. */
  async #attempt(
    method: MethodName,
    prepared: Prepared,
    deadlineAt: number,
    signal: AbortSignal,
    { onAnswer, once = false }: WatchCallOptions,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      const link = this.#link?.ready && !signal.aborted ? this.#link : await this.#usable(deadlineAt, signal);
      try {
        return await this.#send(link, method, prepared, deadlineAt, signal, (result) => onAnswer?.(result, link));
      } catch (error) {
        if (!(error instanceof RpcError) || signal.aborted) throw error;
        const drained = error.kind === 'DRAINING' && error.executed === 'no';
        const lostRead = error.kind === 'CONNECTION_LOST' && !link.usable && methods[method].effect !== 'write';
        if (drained) link.retire();
        if (once || prepared.upload || attempt > 2 || !(drained || lostRead)) throw error;
      }
    }
  }

  async #send(
    link: Link,
    method: MethodName,
    { params, upload }: Prepared,
    deadlineAt: number,
    signal: AbortSignal,
    onAnswer: (result: unknown) => void,
  ): Promise<unknown> {
    const timeoutMs = Math.max(1, Math.ceil(deadlineAt - performance.now()));
    const sending = upload && link.upload(upload);
    const streamed = sending ? { stream: sending.id } : {};
    try {
      const { id, answer } = link.request(method, { ...params, ...streamed, timeoutMs }, onAnswer);
      const executed = methods[method].effect === 'write' ? 'maybe' : 'no';
      const patience = new Patience(signal, executed, timeoutMs, {
        onCancel: () => link.cancel(id),
        onGone: () => link.abandon(id),
      });
      const broken = sending?.run();
      try {
        // An upload whose content cannot be read fails the call with that reason.
        return await patience.with(broken ? Promise.race([answer, never(broken)]) : answer);
      } finally {
        patience.end();
        link.abandon(id);
      }
    } finally {
      if (sending) link.endUpload(sending);
    }
  }

  /** The socket for new requests, connecting as often as it takes. */
  async #usable(deadlineAt: number, signal: AbortSignal): Promise<Link> {
    const { url, connectTimeoutMs = REFUSED_MS } = this.#options;
    const late = new AbortController();
    const giveUp = (kind: RpcErrorDetails['kind'], when: string) => {
      const { message: why, cause } = this.#failure ?? { message: 'It does not answer.' };
      late.abort(rpcError(`No socket to the broker at ${url} ${when}. ${why}`, { kind, executed: 'no', cause }));
    };
    const onEnd = () => late.abort((signal.reason as Ended).toError('no'));
    const begunAt = performance.now();
    const isRestart = this.#common.mayRestart;
    const check = () => {
      clearTimeout(timer);
      const mostMs = isRestart ? Number.POSITIVE_INFINITY : this.#connectMs;
      const leftMs = Math.min(deadlineAt, begunAt + mostMs) - performance.now();
      if (leftMs > 0) timer = setTimeout(check, boundedMs(leftMs));
      else if (deadlineAt <= begunAt + mostMs) giveUp('DEADLINE', 'in time');
      else giveUp('UNREACHABLE', `within ${mostMs} ms`);
    };
    let timer = setTimeout(check, boundedMs(Math.min(deadlineAt - begunAt, connectTimeoutMs)));
    const unlisten = onAbort(signal, onEnd);
    if (signal.aborted) onEnd();
    try {
      for (;;) {
        late.signal.throwIfAborted();
        const current = this.#link?.usable ? this.#link : undefined;
        if (!current && this.#pace.waitMs > 0) {
          // Another call may have opened a socket meanwhile.
          await sleep(this.#pace.waitMs, late.signal);
          continue;
        }
        const link = current ?? this.#open();
        try {
          await orAborted(link.opened, late.signal);
          if (link.usable) return link;
          this.#failure = { message: 'It takes no requests.' };
        } catch (error) {
          if (late.signal.aborted || !isTransient(error)) throw error;
          this.#failure = error;
        }
        // How long the call may wait depends on what it met.
        if (begunAt + connectTimeoutMs <= performance.now()) check();
      }
    } finally {
      clearTimeout(timer);
      unlisten();
    }
  }

  /** Milliseconds that a call waits for a socket, as it looks now. */
  get #connectMs(): number {
    const { url, connectTimeoutMs } = this.#options;
    // A refused connect has an error code, a silent server has none, and a server that is killed resets its connections.
    const { code } = (this.#failure?.cause ?? {}) as { code?: unknown };
    const isSilent = code === undefined || code === 'ECONNRESET' || code === 'EPIPE';
    // systemd holds the socket while the broker restarts.
    if (isSilent && unixAddress(url) !== undefined) return Number.POSITIVE_INFINITY;
    return connectTimeoutMs ?? (isSilent ? SILENT_MS : REFUSED_MS);
  }

  #open(): Link {
    const { url, token, onHello, onExpiring, onTrace } = this.#options;
    const link = new Link(
      this.#connect,
      { url, token },
      {
        onHello: (hello) => {
          this.#common.seen();
          this.#failure = undefined;
          guarded(() => onHello?.(hello));
        },
        onDraining: (draining) => {
          this.#leave(draining);
          this.#watches.lost(draining);
        },
        onExpiring: (expiring) => guarded(() => onExpiring?.(expiring)),
        onEvent: (from, event) => this.#watches.receive(from, event),
        onTrace: (trace) => guarded(() => onTrace?.(trace)),
        onWatchEnded: (from, ended) => this.#watches.ended(from, ended),
        onClose: (closed, kind) => {
          // A socket that was refused for good is not retried by itself, and each call is to be told at once.
          if (kind === 'CONNECTION_LOST') this.#leave(closed);
          this.#links.delete(closed);
          if (this.#link === closed) this.#link = undefined;
          this.#watches.lost(closed);
        },
      },
    );
    this.#link = link;
    this.#links.add(link);
    return link;
  }

  /** The current socket takes no requests any more. After one that did not serve, the next is not opened at once. */
  #leave(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (link.greeted) this.#common.seen();
    if (link.served) this.#pace.served();
    else this.#pace.failed();
  }
}

interface Prepared {
  params: Record<string, unknown>;
  upload?: ReadableStream<Uint8Array>;
}

/** Small messages go inline, in one frame; larger ones and streams as an upload. */
async function prepareAppend(params: Record<string, unknown>): Promise<Prepared> {
  const { content, size, ...rest } = params;
  const { bytes, stream, total } = await measured(content, size);
  if (bytes && bytes.length <= protocolLimits.inlineBytes) return { params: { ...rest, data: toBase64(bytes) } };
  return { params: { ...rest, size: total }, upload: stream() };
}

function never(broken: Promise<void>): Promise<never> {
  return new Promise((_resolve, reject) => broken.catch(reject));
}

/** Whether connecting may succeed at another time. */
function isTransient(error: unknown): error is RpcError {
  return error instanceof RpcError && error.kind === 'CONNECTION_LOST';
}
