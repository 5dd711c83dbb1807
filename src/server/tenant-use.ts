import { BrokerError } from '../protocol/errors.js';
import { Live } from '../runtime/live.js';
import type { Tenant, TenantQuotas } from '../session/tenant.js';
import { TokenBucket } from './token-bucket.js';

/** Sockets, unanswered requests and open streams. */
export interface Use {
  sockets: number;
  running: number;
  streams: number;
}

/** What a tenant uses of the broker just now, over all of its sockets. */
export class TenantUse {
  /** Who the tenant is and what it may do now. */
  readonly tenant: Live<Tenant>;
  #requests: TokenBucket;
  #perSecond: number;
  #sockets = 0;
  #running = 0;
  #streams = 0;

  constructor(tenant: Tenant) {
    this.tenant = new Live(tenant);
    this.#perSecond = tenant.quotas.requestsPerSecond;
    this.#requests = new TokenBucket(this.#perSecond);
  }

  get #quotas(): TenantQuotas {
    return this.tenant.now.quotas;
  }

  get now(): Use {
    return { sockets: this.#sockets, running: this.#running, streams: this.#streams };
  }

  get socketsLimit(): number {
    return this.#quotas.sockets;
  }

  /** Whether the tenant has as many sockets as it may have. */
  get full(): boolean {
    return this.#sockets >= this.socketsLimit;
  }

  socketOpened(): void {
    this.#sockets += 1;
  }

  socketClosed(): void {
    this.#sockets -= 1;
  }

  /** Begins a request. @throws BrokerError RATE_LIMITED */
  begin(): void {
    const { concurrentRequests, requestsPerSecond } = this.#quotas;
    if (this.#running >= concurrentRequests) {
      const message = `This application has ${concurrentRequests} unanswered requests already.`;
      throw new BrokerError('RATE_LIMITED', message, { retryAfterMs: 1000 });
    }
    if (requestsPerSecond !== this.#perSecond) {
      this.#perSecond = requestsPerSecond;
      this.#requests = new TokenBucket(requestsPerSecond);
    }
    const retryAfterMs = this.#requests.take();
    if (retryAfterMs > 0) {
      const message = `This application sends more than ${requestsPerSecond} requests a second.`;
      throw new BrokerError('RATE_LIMITED', message, { retryAfterMs });
    }
    this.#running += 1;
  }

  end(): void {
    this.#running -= 1;
  }

  /** Begins a stream. @throws BrokerError RATE_LIMITED */
  beginStream(): void {
    const { streams } = this.#quotas;
    if (this.#streams >= streams) {
      const message = `This application has ${streams} open streams already.`;
      throw new BrokerError('RATE_LIMITED', message, { retryAfterMs: 1000 });
    }
    this.#streams += 1;
  }

  endStream(): void {
    this.#streams -= 1;
  }
}
