import { BrokerError } from '../../protocol/errors.js';

/** @throws BrokerError STATE_CHANGED when the folder has another UIDVALIDITY than the caller knows */
export function requireSame(mailbox: string, now: number | undefined, known: number): void {
  if (now === known) return;
  throw new BrokerError(
    'STATE_CHANGED',
    `uidValidity: the folder "${mailbox}" has ${now} now, not ${known}; list it again.`,
    { field: 'uidValidity' },
  );
}
