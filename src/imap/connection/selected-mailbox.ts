import { type ImapAttribute, listOf, textOf } from '../wire/tokens.js';

/** The folder that a connection has selected, as the server last described it. */
export interface SelectedMailbox {
  path: string;
  /** 1 where the server tells none: then nothing can tell whether uids still mean the same (RFC 3501 section 6.3.1). */
  uidValidity: number;
  /** MAILBOXID (RFC 8474 section 4), where the server tells it: another folder of the same name has another id. */
  mailboxId: string | undefined;
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

/** Characters of an object identifier (RFC 8474 section 4). */
const MOST_ID = 255;

/** The value of MAILBOXID; undefined for anything else, and for one that is longer than it may be. */
export function mailboxIdOf(value: ImapAttribute | undefined): string | undefined {
  const id = textOf(listOf(value)[0]);
  // A copy, because views keep it: a part of a response may hold all of the response in memory.
  return id === '' || id.length > MOST_ID ? undefined : Buffer.from(id).toString();
}
