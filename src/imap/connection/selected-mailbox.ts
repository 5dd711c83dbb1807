import { type ImapAttribute, listOf, textOf } from '../wire/tokens.js';

/** The folder that a connection has selected, as the server last described it. */
export interface SelectedMailbox {
  path: string;
  /** 1 where the server sends none: then the uids of two sessions cannot be compared (RFC 3501 section 6.3.1). */
  uidValidity: number;
  /** MAILBOXID (RFC 8474 section 4), where the server sends it: another folder of the same name has another id. */
  mailboxId: string | undefined;
  /** Number of messages now, kept up to date by untagged EXISTS, EXPUNGE and VANISHED. */
  exists: number;
  /** `undefined` where the server does not send UIDNEXT (Courier). */
  uidNext: number | undefined;
  readOnly: boolean;
  /** PERMANENTFLAGS; with `\*` new keywords may be made. `undefined`: the server sends none, so all flags are kept. */
  permanentFlags: ReadonlySet<string> | undefined;
  /** Flags and keywords of the folder (FLAGS, RFC 9051 section 7.3.5), as last sent: at most 1,000. */
  flags?: readonly string[] | undefined;
  /** HIGHESTMODSEQ at the SELECT; `undefined` where the server keeps none (RFC 7162 section 3.1.2). */
  highestModseq: bigint | undefined;
}

/** The known state that a SELECT resumes from (QRESYNC, RFC 7162 section 3.2.5). */
export interface KnownState {
  uidValidity: number;
  modseq: bigint;
}

/** An object identifier (RFC 8474 section 7). */
const OBJECT_ID = /^[\w-]{1,255}$/;

/** The value of MAILBOXID; undefined for what is no object identifier. */
export function mailboxIdOf(value: ImapAttribute | undefined): string | undefined {
  const id = textOf(listOf(value)[0]);
  // A copy, because views keep the id: a substring may hold the whole response in memory.
  return OBJECT_ID.test(id) ? Buffer.from(id).toString() : undefined;
}

/** Most flags of a folder that are told, and most characters of one: the flags that a request may name. */
const MOST_FLAGS = 1000;
const MOST_FLAG = 200;

/** The flags that are told of a folder. */
export function shownFlags(flags: Iterable<string>): string[] {
  const shown: string[] = [];
  for (const flag of flags) {
    if (shown.length >= MOST_FLAGS) break;
    if (flag.length <= MOST_FLAG && /^[!-~]+$/.test(flag)) shown.push(flag);
  }
  return shown;
}
