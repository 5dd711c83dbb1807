import { closeSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeAnew } from '../../runtime/write-anew.js';
import type { KeyRing } from '../../session/key-ring.js';
import { sealText, unsealText } from '../../session/seal.js';
import type { Idempotency, KeptOutcome } from './idempotency.js';

const kept = z.object({
  savedAt: z.number(),
  outcomes: z.array(
    z.object({
      account: z.string(),
      key: z.string(),
      fingerprint: z.string(),
      ageMs: z.number(),
      value: z.unknown().optional(),
      error: z.unknown().optional(),
    }),
  ),
});

/**
 * Leaves the outcomes of requests with an idempotency key to the broker that is started next. The file is sealed as
 * tokens are, for it has the users and the folders of these requests.
 * @throws what the file system says
 */
export async function saveOutcomes(path: string, keys: KeyRing, idempotency: Idempotency): Promise<void> {
  const content = { savedAt: Date.now(), outcomes: idempotency.outcomes };
  closeSync(writeAnew(path, await sealText(keys.newest, JSON.stringify(content))));
}

/** Takes up what the broker before has left; ignores a file that is missing, spoilt or sealed with another key. */
export async function restoreOutcomes(path: string, keys: KeyRing, idempotency: Idempotency): Promise<void> {
  let sealed: string;
  try {
    sealed = readFileSync(path, 'utf8');
  } catch {
    return;
  }
  const found = await unsealText(keys, sealed);
  const { data } = kept.safeParse(found && JSON.parse(found.text));
  if (!data) return;
  const sinceMs = Math.max(0, Date.now() - data.savedAt);
  const outcomes = data.outcomes as KeptOutcome[];
  idempotency.restore(outcomes.map((one) => ({ ...one, ageMs: one.ageMs + sinceMs })));
}
