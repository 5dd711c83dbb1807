import { BrokerError } from '../../../protocol/errors.js';

/** Most refused commands of one division: servers end a session in which too many fail. */
const MOST_REFUSED = 16;

/** Response codes (RFC 5530) of refusals that would meet any message, or that a repetition settles. */
const general = new Set<string | undefined>([
  'EXPUNGEISSUED',
  'UNAVAILABLE',
  'INUSE',
  'LIMIT',
  'OVERQUOTA',
  'NOPERM',
  'AUTHENTICATIONFAILED',
  'AUTHORIZATIONFAILED',
  'EXPIRED',
  'PRIVACYREQUIRED',
  'CONTACTADMIN',
]);

/**
 * Whether a refused FETCH may be about some of its messages only: Gmail, for example, answers NO to a FETCH of many for a
 * single message that it cannot read.
 */
export function isDivisible(failure: unknown): boolean {
  return failure instanceof BrokerError && failure.kind === 'IMAP_NO' && !general.has(failure.imap?.code);
}

/**
 * Fetches messages in smaller and smaller groups, so that the server refuses only those that it cannot read.
 * @param fetch one command, whose results are kept even if it is refused in the end
 * @param has whether there is a result for a message
 * @returns messages that were refused, or left out after 16 refusals
 * @throws what `fetch` throws, unless {@link isDivisible}
 */
export async function fetchDivided(
  uids: readonly number[],
  fetch: (uids: readonly number[]) => Promise<unknown>,
  has: (uid: number) => boolean,
): Promise<number[]> {
  const open = [uids];
  const refused: number[] = [];
  let refusals = 0;
  for (let group = open.pop(); group; group = open.pop()) {
    if (group.length === 0) continue;
    if (refusals >= MOST_REFUSED) {
      refused.push(...group);
      continue;
    }
    try {
      await fetch(group);
    } catch (failure) {
      if (!isDivisible(failure)) throw failure;
      refusals += 1;
      const left = group.filter((uid) => !has(uid));
      if (group.length === 1) refused.push(...left);
      else open.push(...halves(left));
    }
  }
  return refused;
}

function halves(uids: readonly number[]): (readonly number[])[] {
  const middle = Math.ceil(uids.length / 2);
  return [uids.slice(0, middle), uids.slice(middle)];
}
