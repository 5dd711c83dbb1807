import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose';
import { z } from 'zod';
import { accountKey } from '../runtime/account-key.js';
import type { KeyRing } from './key-ring.js';
import type { Session } from './session.js';

const header = { alg: 'dir', enc: 'A256GCM' } as const;
/** Nothing but these, whatever a token's own header says (RFC 8725 section 3.1). */
const pinned = { keyManagementAlgorithms: [header.alg], contentEncryptionAlgorithms: [header.enc] };

const secretClaim = z.union([
  z.strictObject({ password: z.string() }),
  z.strictObject({ accessToken: z.string(), expiresAt: z.number().optional() }),
]);
const claims = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  server: z.string(),
  user: z.string(),
  secret: secretClaim,
  openedAt: z.number(),
  issuedAt: z.number(),
  expiresAt: z.number(),
  endsAt: z.number(),
});

/** Seals a session into a token (RFC 7516): nobody without the keys can read, change or make one. */
export async function seal(keys: KeyRing, { accountKey: _, ...content }: Session): Promise<string> {
  const { id, bytes } = keys.newest;
  return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
    .setProtectedHeader({ ...header, kid: id })
    .encrypt(bytes);
}

/** The session in a token, whether or not it has ended; `undefined` for anything that these keys did not seal. */
export async function unseal(keys: KeyRing, token: string): Promise<Session | undefined> {
  if (!isCanonical(token)) return undefined;
  try {
    const { plaintext } = await compactDecrypt(
      token,
      (given: CompactJWEHeaderParameters) => keyOf(keys, given.kid),
      pinned,
    );
    const content = claims.parse(JSON.parse(new TextDecoder().decode(plaintext)));
    const { id, tenant, server, user, secret, openedAt, issuedAt, expiresAt, endsAt } = content;
    const key = accountKey({ tenant, server: { name: server }, user });
    // One by one: a copy of what zod made takes 500 bytes more, and as many as there are users are remembered.
    return { id, tenant, server, user, secret, accountKey: key, openedAt, issuedAt, expiresAt, endsAt };
  } catch {
    return undefined;
  }
}

function keyOf(keys: KeyRing, id: string | undefined): Uint8Array {
  const key = id === undefined ? undefined : keys.find(id);
  if (!key) throw new Error('An unknown key.');
  return key.bytes;
}

/** Some characters of base64 have bits that mean nothing: of all spellings of a token one alone is taken. */
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return parts.length === 5 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}
