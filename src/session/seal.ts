import { hash } from 'node:crypto';
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose';
import { z } from 'zod';
import { digitsOfHash, shardText } from '../protocol/shard.js';
import { accountKey } from '../runtime/account-key.js';
import type { KeyRing, SealingKey } from './key-ring.js';
import type { Session } from './session.js';

const header = { alg: 'dir', enc: 'A256GCM' } as const;
/** The only algorithms that are taken, whatever a token's own header says (RFC 8725 section 3.1). */
const pinned = { keyManagementAlgorithms: [header.alg], contentEncryptionAlgorithms: [header.enc] };

const secretClaim = z.union([
  z.strictObject({ password: z.string() }),
  z.strictObject({ accessToken: z.string(), expiresAt: z.number().optional() }),
]);
const claims = z.object({
  id: z.string(),
  tenant: z.string(),
  server: z.string(),
  user: z.string(),
  secret: secretClaim,
  openedAt: z.number(),
  // Tokens of version 0.1.0 have none of these.
  line: z.string().default(''),
  generation: z.number().default(0),
  renewals: z.number().default(0),
  expiresAt: z.number(),
  endsAt: z.number(),
});

/** Seals a session into a token (RFC 7516), which cannot be read, changed or made without the key. */
export async function seal(key: SealingKey, { accountKey: _, ...content }: Session): Promise<string> {
  const { server, user } = content;
  const shard = digitsOfHash(hash('sha256', shardText(server, user), 'hex'));
  return await sealText(key, JSON.stringify(content), { shard });
}

/** Seals any text in the same way. @param readable what any holder of the sealed text may read */
export async function sealText(
  { id, bytes }: SealingKey,
  text: string,
  readable: { shard?: string } = {},
): Promise<string> {
  return await new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ ...header, ...readable, kid: id })
    .encrypt(bytes);
}

/** The session in a token, whether or not it has ended, and the key that sealed it; `undefined` for anything that these keys did not seal. */
export async function unseal(keys: KeyRing, token: string): Promise<{ session: Session; key: SealingKey } | undefined> {
  const found = await unsealText(keys, token);
  const content = found && claims.safeParse(parseSealed(found.text)).data;
  if (!content) return undefined;
  const { id, tenant, server, user } = content;
  // Member by member: a copy of zod's object takes 500 bytes more, and as many sessions as users are remembered.
  const session: Session = {
    id,
    tenant,
    server,
    user,
    secret: content.secret,
    accountKey: accountKey({ tenant, server: { name: server }, user }),
    openedAt: content.openedAt,
    line: content.line,
    generation: content.generation,
    renewals: content.renewals,
    expiresAt: content.expiresAt,
    endsAt: content.endsAt,
  };
  return { session, key: found.key };
}

/** The text that was sealed, and the key; `undefined` for anything that these keys did not seal. */
export async function unsealText(
  keys: KeyRing,
  sealed: string,
): Promise<{ text: string; key: SealingKey } | undefined> {
  if (!isCanonical(sealed)) return undefined;
  let key: SealingKey | undefined;
  try {
    const { plaintext } = await compactDecrypt(
      sealed,
      ({ kid }: CompactJWEHeaderParameters) => {
        key = kid === undefined ? undefined : keys.find(kid);
        if (!key) throw new Error('An unknown key.');
        return key.bytes;
      },
      pinned,
    );
    return key && { text: new TextDecoder().decode(plaintext), key };
  } catch {
    return undefined;
  }
}

function parseSealed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Some characters of base64 have bits that mean nothing: only one of all spellings of a token is taken. */
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return parts.length === 5 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}
