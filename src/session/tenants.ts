import { createHash, timingSafeEqual } from 'node:crypto';
import type { Tenant } from './tenant.js';

/** SHA-256 of a bearer token, in hex, as the configuration has it. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The tenant whose token this is. Every hash is compared, in constant time, so that time tells nothing. */
export function tenantOf(tenants: readonly Tenant[], token: string): Tenant | undefined {
  const given = Buffer.from(hashToken(token), 'hex');
  let found: Tenant | undefined;
  for (const tenant of tenants) {
    for (const hash of tenant.tokenHashes) {
      const known = Buffer.from(hash, 'hex');
      if (known.length === given.length && timingSafeEqual(known, given)) found = tenant;
    }
  }
  return found;
}
