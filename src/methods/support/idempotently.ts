import { createHash } from 'node:crypto';
import type { SessionContext } from '../context.js';
import { canonical } from './canonical.js';

/**
 * Does a write once for all requests with its idempotency key; without a key, for each request.
 * @param matters the params that make two requests the same, beside the method
 * @param bytes a message, which makes two requests the same as well
 */
export function idempotently<T>(
  { method, account, services }: SessionContext,
  idempotencyKey: string | undefined,
  matters: object,
  work: () => Promise<T>,
  bytes?: Uint8Array,
): Promise<T> {
  if (idempotencyKey === undefined) return work();
  const hash = createHash('sha256').update(`${method} ${canonical(matters)}`);
  if (bytes) hash.update(bytes);
  return services.idempotency.once(account.key, idempotencyKey, hash.digest('base64'), work);
}
