// Written by `npm run docs` from src/protocol.

import type { Fields } from '../rows.js';
import type { Explanation, KeptParams, MessageSummary, Meta, ReadParams, StatusCounts, WriteParams } from './models.js';

/** A folder. */
export interface Mailbox {
  /** Full name; use it in other methods exactly as it is. */
  name: string;
  /** Full name of the level above; null at the top. */
  parent: string | null;
  /** The last level of the name, for display. */
  leaf: string;
  delimiter: string | null;
  specialUse: 'inbox' | 'all' | 'archive' | 'drafts' | 'flagged' | 'junk' | 'sent' | 'trash' | null;
  /** server: SPECIAL-USE; name: guessed from a well-known folder name. */
  specialUseSource: 'server' | 'name' | null;
  subscribed: boolean;
  /** false: the folder holds no messages, only children, or is a subscription of a folder that is gone. */
  selectable: boolean;
  hasChildren: boolean;
  /**
   * The attributes of LIST, in the server's words, without `\Marked` and `\Unmarked`; empty for a level that the
   * server does not list.
   */
  attributes: string[];
  /** null unless asked for, or when the folder cannot be selected. */
  counts: StatusCounts | null;
  /** null unless asked for, or when the folder cannot be selected. */
  facts: {
    /**
     * What the user may do with the folder, a letter each (MYRIGHTS, RFC 4314 section 2.1); null where the server
     * has no ACL or does not tell.
     */
    rights: string | null;
    /**
     * MAILBOXID (RFC 8474): stays when the folder is renamed. null where the server has none; in lists also on
     * Cyrus, which tells it of an open folder alone.
     */
    mailboxId: string | null;
    /** HIGHESTMODSEQ (RFC 7162), in decimal: grows with every change. null where the server keeps none. */
    highestModseq: string | null;
    /** Bytes of the largest message that the folder takes (APPENDLIMIT, RFC 7889); null where none is told. */
    appendLimit: number | null;
    /** Whether no folder can be made below this one. */
    noInferiors: boolean;
    /** Bytes in all messages (STATUS=SIZE); null where the server does not count them: mailbox.info does. */
    size: number | null;
  } | null;
}

/** Parameters of mailbox.list. */
export interface MailboxListParams extends KeptParams {
  /** One LIST-STATUS where offered, else one STATUS per folder. Default: `false`. */
  counts?: boolean | undefined;
  /** Only subscribed folders, also those that are gone, and the parents that hold them. Default: `false`. */
  subscribedOnly?: boolean | undefined;
  /**
   * Answers facts: in the same LIST where the server can, else by one STATUS and one MYRIGHTS per folder, rights
   * of the first 10,000. Default: `false`.
   */
  facts?: boolean | undefined;
}

/** What mailbox.list answers. */
export interface MailboxListResult {
  mailboxes: Mailbox[];
  /** Stands for what this answer says, for ifState; opaque. */
  state: string;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.status. */
export interface MailboxStatusParams extends KeptParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailboxes: readonly string[];
}

/** What mailbox.status answers. */
export interface MailboxStatusResult {
  statuses: {
    mailbox: string;
    /** null where the folder does not exist or cannot be selected. */
    counts: StatusCounts | null;
  }[];
  /** Stands for what this answer says, for ifState; opaque. */
  state: string;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.info. */
export interface MailboxInfoParams extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** false: no sizes are fetched to compute size where the server does not count it. Default: `true`. */
  size?: boolean | undefined;
}

/** What mailbox.info answers. */
export interface MailboxInfoResult {
  /** The name as the server has it. */
  mailbox: string;
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** null where it is not known. */
  uidNext: number | null;
  messages: number;
  unseen: number;
  /**
   * Bytes in all messages, by STATUS=SIZE; else the sum of RFC822.SIZE, which is fetched once and then for new
   * messages. null above 200,000 messages, and where the server does not tell all sizes.
   */
  size: number | null;
  readOnly: boolean;
  /** Flags and keywords in use in the folder, at most 1,000. */
  flags: string[];
  /**
   * Flags and keywords that the folder keeps, at most 1,000 (PERMANENTFLAGS). null where the server does not
   * tell: then it keeps all flags.
   */
  permanentFlags: string[] | null;
  /** Whether message.flag may make new keywords: PERMANENTFLAGS has `\*`, or is not told. */
  keywordsAllowed: boolean;
  /** By SPECIAL-USE of the server, and inbox; mailbox.list also guesses by well-known names. */
  specialUse: 'inbox' | 'all' | 'archive' | 'drafts' | 'flagged' | 'junk' | 'sent' | 'trash' | null;
  /**
   * The attributes of LIST, in the server's words, without `\Marked` and `\Unmarked`; empty for a level that the
   * server does not list.
   */
  attributes: string[];
  /**
   * What the user may do with the folder, a letter each (MYRIGHTS, RFC 4314 section 2.1); null where the server
   * has no ACL or does not tell.
   */
  rights: string | null;
  /**
   * MAILBOXID (RFC 8474): stays when the folder is renamed. null where the server has none; in lists also on
   * Cyrus, which tells it of an open folder alone.
   */
  mailboxId: string | null;
  /** HIGHESTMODSEQ (RFC 7162), in decimal: grows with every change. null where the server keeps none. */
  highestModseq: string | null;
  /** Bytes of the largest message that the folder takes (APPENDLIMIT, RFC 7889); null where none is told. */
  appendLimit: number | null;
  /** Whether no folder can be made below this one. */
  noInferiors: boolean;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.acl. */
export interface MailboxAclParams extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
}

/** What mailbox.acl answers. */
export interface MailboxAclResult {
  /** At most 1,000. */
  entries: {
    /** A user, a group or `anyone`, in the words of the server; one that begins with - takes rights away. */
    identifier: string;
    /** A letter each (RFC 4314 section 2.1). */
    rights: string;
  }[];
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.metadata. */
export interface MailboxMetadataParams extends ReadParams {
  /** null: annotations of the server. */
  mailbox: string | null;
  /** Names such as `/shared/comment`. */
  entries: readonly string[];
}

/** What mailbox.metadata answers. */
export interface MailboxMetadataResult {
  /** Those that were asked for, in their order. */
  entries: {
    entry: string;
    /** null where there is none, and where it has more than 65,536 bytes. */
    value: string | null;
  }[];
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.changes. */
export interface MailboxChangesParams<F extends Fields = Fields> extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** The oldest of the states that came with what the caller has. */
  since: string;
  /**
   * What the caller has: `changed` and `removed` then speak of these messages alone, and what is gone can be
   * told on every server. Uids of 1 to 4294967295; a set such as `1:100,105`, or pairs of a first and a last
   * uid.
   */
  uids?: string | readonly (readonly [number, number])[] | undefined;
  /** Answers `rows`. Default: `false`. */
  rows?: boolean | undefined;
  /** Members of each row beside its uid. Default: `["envelope","flags","size","internalDate"]`. */
  fields?: F | undefined;
}

/** What mailbox.changes answers. */
export interface MailboxChangesResult<R extends MessageSummary = MessageSummary> {
  /** Whether nothing is unknown. */
  complete: boolean;
  /** true: the folder is another one, or the state is none of this folder; list the folder again. */
  reset: boolean;
  /**
   * Lists that lack something, because the server does not tell or there is too much of it. `changed`: list
   * again what is shown. `removed`: ask with `uids`, or list again.
   */
  unknown: ('added' | 'changed' | 'removed')[];
  /** UIDVALIDITY of the folder: its uids hold as long as it stays the same. */
  uidValidity: number;
  /** The state now, for the next time. */
  state: string;
  /** Messages in the folder. */
  total: number;
  /** New messages, ascending; of more the newest. */
  added: number[];
  /** Messages whose flags may be others than before, with all of them. */
  changed: {
    /** Uid of the message in its folder. */
    uid: number;
    flags: string[];
  }[];
  /** Messages that are gone; may name some that the caller never heard of. */
  removed: number[];
  /** Only where asked for: the new messages, as message.list has them, newest first. */
  rows?: R[];
  /** Only with `rows`: there are others among `added`; list the folder. */
  more?: true;
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.create. */
export interface MailboxCreateParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** Whether to subscribe to it as well. Default: `true`. */
  subscribe?: boolean | undefined;
}

/** What mailbox.create answers. */
export interface MailboxCreateResult {
  /** The name as the server lists it. */
  mailbox: string;
  /** false: the folder was there already; a level without messages becomes a folder. */
  created: boolean;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.rename. */
export interface MailboxRenameParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  newName: string;
}

/** What mailbox.rename answers. */
export interface MailboxRenameResult {
  mailbox: string;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.delete. */
export interface MailboxDeleteParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
}

/** What mailbox.delete answers. */
export interface MailboxDeleteResult {
  mailbox: string;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.subscribe. */
export interface MailboxSubscribeParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
}

/** What mailbox.subscribe answers. */
export interface MailboxSubscribeResult {
  mailbox: string;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** Parameters of mailbox.unsubscribe. */
export interface MailboxUnsubscribeParams extends WriteParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. */
  mailbox: string;
}

/** What mailbox.unsubscribe answers. */
export interface MailboxUnsubscribeResult {
  mailbox: string;
  /** Only where it was asked for. */
  explain?: Explanation;
}
