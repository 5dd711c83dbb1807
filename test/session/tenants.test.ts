import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken, tenantOf } from '../../src/session/tenants.js';

const shop = tenantWith({ name: 'shop', tokenHashes: [hashToken('id.old'), hashToken('id.new')] });
const other = tenantWith({ name: 'other', tokenHashes: [hashToken('plain').toUpperCase()] });
const tenants = [shop, other];

describe('a bearer token', () => {
  it('names the tenant that has its hash, also while two are live', () => {
    expect(tenantOf(tenants, 'id.old')).toBe(shop);
    expect(tenantOf(tenants, 'id.new')).toBe(shop);
    expect(tenantOf(tenants, 'plain')).toBe(other);
  });

  it('names nobody when it is any other', () => {
    const live = ['id.old', 'id.new', 'plain'];
    fc.assert(
      fc.property(fc.string(), (token) => {
        expect(tenantOf(tenants, token) === undefined).toBe(!live.includes(token));
      }),
    );
    expect(tenantOf(tenants, hashToken('plain'))).toBeUndefined();
    expect(tenantOf([], 'plain')).toBeUndefined();
  });

  it('is not confused by a hash of another length', () => {
    expect(tenantOf([tenantWith({ name: 'broken', tokenHashes: ['', 'ab', 'zz'] })], '')).toBeUndefined();
  });
});
