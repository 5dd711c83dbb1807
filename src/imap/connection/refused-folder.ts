import { BrokerError } from '../../protocol/errors.js';

/**
 * Response codes (RFC 5530 section 3) of refusals that are about the state of the server or of the account: the folder
 * that the command named may well exist.
 */
const passingCodes = new Set<string | undefined>([
  'UNAVAILABLE',
  'AUTHENTICATIONFAILED',
  'AUTHORIZATIONFAILED',
  'EXPIRED',
  'PRIVACYREQUIRED',
  'CONTACTADMIN',
  'INUSE',
  'CORRUPTION',
  'SERVERBUG',
  'LIMIT',
  'OVERQUOTA',
]);

/** Response codes of a refused SELECT of a folder that exists: access is denied, or the command is a client bug. */
const deniedCodes = new Set<string | undefined>(['NOPERM', 'CLIENTBUG']);

/** Whether a refusal is not about the folder, so that the same command may be accepted later. */
export function isPassing({ imap }: BrokerError): boolean {
  return passingCodes.has(imap?.code);
}

/** Whether a command opens or counts a folder, which its first argument names. */
export function isOfFolder(command: string): boolean {
  return command === 'SELECT' || command === 'STATUS';
}

/**
 * Whether such a command was refused for a folder that was here before under the same name. A session of Dovecot that had
 * it open may do so for ever, while a new session opens the folder that is there now.
 */
export function isOfFolderBefore(failure: unknown): boolean {
  if (!(failure instanceof BrokerError)) return false;
  return failure.imap?.status === 'NO' && /deleted under us/i.test(failure.imap.text ?? '');
}

/**
 * A refused SELECT as NOT_FOUND of the folder. Every other failure stays as it is. So do refusals that do not say that
 * the folder is missing, because a client would drop the folder on NOT_FOUND. BAD is about the command (RFC 9051
 * section 7.1.3). Servers refuse a missing folder with NONEXISTENT, with TRYCREATE, or without any code (Courier, UW).
 */
export function selectError(failure: unknown, path: string): unknown {
  if (!(failure instanceof BrokerError) || (failure.kind !== 'IMAP_NO' && failure.kind !== 'NOT_FOUND')) return failure;
  const { imap, kind } = failure;
  if (kind === 'IMAP_NO' && (imap?.status === 'BAD' || isPassing(failure) || deniedCodes.has(imap?.code)))
    return failure;
  return new BrokerError('NOT_FOUND', `mailbox: the folder "${path}" cannot be opened.`, {
    field: 'mailbox',
    imap,
    cause: failure,
  });
}

/**
 * Whether an error says that there is no such folder for this user, or that the user may not read the folder (RFC 4314
 * section 4). A login may be refused with NOPERM too, but that is another kind of error and not about a folder.
 */
export function isOutOfReach(error: unknown): error is BrokerError {
  if (!(error instanceof BrokerError)) return false;
  return error.kind === 'NOT_FOUND' || (error.kind === 'IMAP_NO' && error.imap?.code === 'NOPERM');
}
