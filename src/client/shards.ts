import { digitsOfHash, digitsOfToken, MOST_SHARDS, shardOf, shardText } from '../protocol/shard.js';
import type { CallOptions } from './calls.js';
import { ClientCore, Common } from './core.js';
import type { MethodName } from './generated/methods.js';
import type { Settings } from './options.js';
import type { Connect } from './transport.js';
import type { Watch, WatchOptions } from './watches/watch.js';

/** Requests without a user, and those with a session whose token tells no shard. */
const ANY_SHARD = 0;

/** The requests of a client on one socket for each shard in use. */
export class Shards {
  readonly #connect: Connect;
  readonly #options: Settings;
  readonly #shards: number;
  readonly #cores = new Map<number, ClientCore>();
  readonly #common = new Common();
  #closed = false;

  /** @throws RangeError where the number of shards is out of bounds, or the URL names a shard already */
  constructor(connect: Connect, options: Settings) {
    const { shards = 1 } = options;
    if (!Number.isInteger(shards) || shards < 1 || shards > MOST_SHARDS) {
      throw new RangeError(`shards: ${shards} is no whole number from 1 to ${MOST_SHARDS}.`);
    }
    if (/[?&]shard=/.test(options.url)) throw new RangeError('url: it names a shard, which `shards` is to choose.');
    this.#connect = connect;
    this.#options = options;
    this.#shards = shards;
  }

  async call(method: MethodName, params: Record<string, unknown>, options: CallOptions = {}): Promise<unknown> {
    const shard = method === 'session.open' ? await this.#shardOfUser(params) : this.#shardOfSession(params.session);
    return await this.#core(shard).call(method, params, options);
  }

  async watch(options: WatchOptions): Promise<Watch> {
    const { session } = options;
    return await this.#core(this.#shardOfSession(typeof session === 'function' ? session() : session)).watch(options);
  }

  close(): void {
    this.#closed = true;
    for (const core of this.#cores.values()) core.close();
  }

  #core(shard: number): ClientCore {
    const existing = this.#cores.get(shard);
    if (existing) return existing;
    const core = new ClientCore(
      this.#connect,
      { ...this.#options, url: withShard(this.#options.url, shard) },
      this.#common,
    );
    if (this.#closed) core.close();
    this.#cores.set(shard, core);
    return core;
  }

  /** Values of a caller without types may be anything: what is wrong with them is for the broker to say. */
  #shardOfSession(session: unknown): number {
    const digits = typeof session === 'string' ? digitsOfToken(session) : undefined;
    return digits === undefined ? ANY_SHARD : shardOf(digits, this.#shards);
  }

  async #shardOfUser({ server, user }: Record<string, unknown>): Promise<number> {
    if (typeof server !== 'string' || typeof user !== 'string') return ANY_SHARD;
    const hash = new Uint8Array(
      await crypto.subtle.digest('SHA-256', new TextEncoder().encode(shardText(server, user))),
    );
    const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return shardOf(digitsOfHash(hex), this.#shards);
  }
}

function withShard(url: string, shard: number): string {
  return `${url}${url.includes('?') ? '&' : '?'}shard=${shard}`;
}
