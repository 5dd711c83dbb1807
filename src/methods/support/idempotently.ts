import { createHash } from 'node:crypto';
import { BrokerError } from '../../protocol/errors.js';
import type { SessionContext } from '../context.js';
import { canonical } from './canonical.js';
import type { KeyedWork } from './idempotency.js';

/** The error of a write that a broker began which is gone, and that cannot be looked for. */
export function outcomeUnknown(): BrokerError {
  const message = 'The broker that worked on this request is gone; what became of the request is not known.';
  return new BrokerError('CONNECTION_LOST', message, { executed: 'maybe' });
}

/**
 * Does a write once for all requests with its idempotency key; without a key, for each request.
 * @param matters the params that make two requests the same, beside the method
 * @param bytes a message, which makes two requests the same as well
 */
export function idempotently<T>(
  { method, account, services, signal }: SessionContext,
  idempotencyKey: string | undefined,
  matters: object,
  work: KeyedWork<T>,
  bytes?: Uint8Array,
): Promise<T> {
  if (idempotencyKey === undefined) return work(false);
  const hash = createHash('sha256').update(`${method} ${canonical(matters)}`);
  if (bytes) hash.update(bytes);
  return services.idempotency.once(account.key, idempotencyKey, hash.digest('base64'), signal, work);
}
