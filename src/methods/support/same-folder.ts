import { BrokerError } from '../../protocol/errors.js';

/** @throws BrokerError STATE_CHANGED when the folder has another UIDVALIDITY than the caller knows */
export function requireSame(mailbox: string, now: number | undefined, expected: number): void {
  if (now === expected) return;
  throw new BrokerError(
    'STATE_CHANGED',
    `uidValidity: the folder "${mailbox}" has ${now} now, not ${expected}; list it again.`,
    { field: 'uidValidity' },
  );
}
