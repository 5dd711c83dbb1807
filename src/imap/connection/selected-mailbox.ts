import { BrokerError } from '../../protocol/errors.js';

/** The folder that a connection has selected, as the server last described it. */
export interface SelectedMailbox {
  path: string;
  /** 1 where the server tells none: then nothing can tell whether uids still mean the same (RFC 3501 section 6.3.1). */
  uidValidity: number;
  /** Messages in it now, kept up to date by untagged EXISTS, EXPUNGE and VANISHED. */
  exists: number;
  /** `undefined` where the server does not tell (Courier). */
  uidNext: number | undefined;
  readOnly: boolean;
  /** Flags that stay; with `\*` new keywords may be made. `undefined`: the server does not tell, so all. */
  permanentFlags: ReadonlySet<string> | undefined;
  /** HIGHESTMODSEQ at the SELECT; `undefined` where the server keeps none (RFC 7162 section 3.1.2). */
  highestModseq: bigint | undefined;
}

/** What a SELECT that goes on from an earlier one knows (QRESYNC, RFC 7162 section 3.2.5). */
export interface KnownState {
  uidValidity: number;
  modseq: bigint;
}

/**
 * A refused SELECT as NOT_FOUND of the folder; every other failure as it is. SERVERBUG says nothing of the folder
 * (RFC 5530 section 3): Dovecot answers so for a moment where a folder was just made again.
 */
export function selectError(failure: unknown, path: string): unknown {
  if (!(failure instanceof BrokerError) || (failure.kind !== 'IMAP_NO' && failure.kind !== 'NOT_FOUND')) return failure;
  if (failure.imap?.code === 'SERVERBUG') return failure;
  return new BrokerError('NOT_FOUND', `mailbox: the folder "${path}" cannot be opened.`, {
    field: 'mailbox',
    imap: failure.imap,
    cause: failure,
  });
}
