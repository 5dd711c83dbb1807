import { createClient } from '@redis/client';
import { Listeners } from '../runtime/listeners.js';

/** Milliseconds that a command may take: requests wait for it, and can do without. */
const COMMAND_MS = 500;
const CONNECT_MS = 2_000;
/** Milliseconds of silence after which the connection is made again; it is pinged more often. */
const SILENCE_MS = 5_000;
const PING_MS = 1_000;
const MOST_RETRY_MS = 1_000;

/** A reply of Redis (RESP2). */
export type Reply = string | number | null | readonly Reply[];

export interface RedisOptions {
  /** `redis:` or `rediss:` URL, with name and password where the server wants them. */
  url: string;
  /** Authority of the server's certificate in PEM. Default: the public ones. */
  ca?: string | undefined;
}

/** The store cannot be reached, or does not answer in time. */
export class StoreDown extends Error {
  override readonly name = 'StoreDown';
}

/** A connection to Redis or Valkey, made again whenever it is lost. While there is none, commands fail at once. */
export class Redis {
  /** Tells whether there is a connection, whenever that changes. */
  readonly ups = new Listeners<boolean>();
  readonly #client;
  /** Undefined until the first try has ended. */
  #up: boolean | undefined;
  /** Why there was no connection when that was tried for the last time. */
  problem: string | undefined;

  constructor({ url, ca }: RedisOptions) {
    this.#client = createClient({
      url,
      RESP: 2,
      disableOfflineQueue: true,
      commandsQueueMaxLength: 10_000,
      pingInterval: PING_MS,
      socket: {
        connectTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
        reconnectStrategy: (retries) => Math.min(MOST_RETRY_MS, 50 * 2 ** retries),
        ...(ca === undefined ? {} : { tls: true as const, ca }),
      },
    });
    this.#client.on('ready', () => this.#set(true));
    this.#client.on('error', ({ message }: Error) => {
      this.problem = message;
    });
    for (const event of ['end', 'reconnecting', 'error']) this.#client.on(event, () => this.#set(this.#client.isReady));
  }

  get up(): boolean {
    return this.#up === true;
  }

  /** Connects, for as long as it takes. */
  open(): void {
    this.#client.connect().catch(({ message }: Error) => {
      this.problem = message;
      this.#set(false);
    });
  }

  close(): void {
    if (this.#client.isOpen) this.#client.destroy();
  }

  /** @throws StoreDown */
  async send(command: readonly string[], withinMs = COMMAND_MS): Promise<Reply> {
    if (!this.#up) throw new StoreDown('there is no connection');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new StoreDown(`no answer within ${withinMs} ms`)), withinMs);
    });
    try {
      return (await Promise.race([this.#client.sendCommand([...command]), late])) as unknown as Reply;
    } catch (error) {
      if (error instanceof StoreDown) throw error;
      throw new StoreDown((error as Error).message, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  #set(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    this.ups.tell(up);
  }
}
