// Written by `npm run docs` from src/protocol.

import type { Anew, CallOptions, InSession } from '../calls.js';
import type { DefaultFields, Fields, Row } from '../rows.js';
import type {
  MailboxAclParams,
  MailboxAclResult,
  MailboxChangesParams,
  MailboxChangesResult,
  MailboxCreateParams,
  MailboxCreateResult,
  MailboxDeleteParams,
  MailboxDeleteResult,
  MailboxInfoParams,
  MailboxInfoResult,
  MailboxListParams,
  MailboxListResult,
  MailboxMetadataParams,
  MailboxMetadataResult,
  MailboxRenameParams,
  MailboxRenameResult,
  MailboxStatusParams,
  MailboxStatusResult,
  MailboxSubscribeParams,
  MailboxSubscribeResult,
  MailboxUnsubscribeParams,
  MailboxUnsubscribeResult,
} from './mailbox.js';
import type { MessageSummary, Unchanged } from './models.js';

export interface MailboxCalls {
  /**
   * Lists all folders: parents before children; among siblings INBOX, flagged, drafts, sent, archive, all, junk,
   * trash, then the others by name. Each parent is in the list.
   * @throws RpcError of kind IMAP_NO, TOO_LARGE
   */
  list(params: Anew<InSession<MailboxListParams>>, options?: CallOptions): Promise<MailboxListResult>;
  /**
   * Lists all folders: parents before children; among siblings INBOX, flagged, drafts, sent, archive, all, junk,
   * trash, then the others by name. Each parent is in the list. With `ifState` it answers `{ unchanged: true }`
   * where nothing has changed since then.
   * @throws RpcError of kind IMAP_NO, TOO_LARGE
   */
  list(params: InSession<MailboxListParams>, options?: CallOptions): Promise<MailboxListResult | Unchanged>;
  /**
   * Counts of folders, without selecting them: one LIST-STATUS where offered, else one STATUS per folder.
   * @throws RpcError of kind IMAP_NO
   */
  status(params: Anew<InSession<MailboxStatusParams>>, options?: CallOptions): Promise<MailboxStatusResult>;
  /**
   * Counts of folders, without selecting them: one LIST-STATUS where offered, else one STATUS per folder. With
   * `ifState` it answers `{ unchanged: true }` where nothing has changed since then.
   * @throws RpcError of kind IMAP_NO
   */
  status(params: InSession<MailboxStatusParams>, options?: CallOptions): Promise<MailboxStatusResult | Unchanged>;
  /**
   * What one folder is and allows: SELECT, STATUS, MYRIGHTS and LIST in one packet; where the folder is selected
   * already, a NOOP and then the others.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  info(params: InSession<MailboxInfoParams>, options?: CallOptions): Promise<MailboxInfoResult>;
  /**
   * Who may do what with a folder (GETACL, RFC 4314); it takes the right `a`.
   * @throws RpcError of kind UNSUPPORTED, NOT_FOUND, IMAP_NO
   */
  acl(params: InSession<MailboxAclParams>, options?: CallOptions): Promise<MailboxAclResult>;
  /**
   * Annotations of a folder, or of the server (GETMETADATA, RFC 5464).
   * @throws RpcError of kind UNSUPPORTED, NOT_FOUND, IMAP_NO
   */
  metadata(params: InSession<MailboxMetadataParams>, options?: CallOptions): Promise<MailboxMetadataResult>;
  /**
   * What became of a folder since a state that message.list or an earlier mailbox.changes answered, also by
   * another broker or before a restart. Speaks of new messages and of those in pages that carried a state.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE
   */
  changes<const F extends Fields = DefaultFields>(
    params: InSession<MailboxChangesParams<F>>,
    options?: CallOptions,
  ): Promise<MailboxChangesResult<Row<MessageSummary, F>>>;
  /**
   * Creates a folder, with its parents. The name goes to the server as it is: where session.info tells a prefix,
   * the name begins with that.
   * @throws RpcError of kind IMAP_NO
   */
  create(params: InSession<MailboxCreateParams>, options?: CallOptions): Promise<MailboxCreateResult>;
  /**
   * Renames a folder and those below it; subscriptions move along. INBOX is refused.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  rename(params: InSession<MailboxRenameParams>, options?: CallOptions): Promise<MailboxRenameResult>;
  /**
   * Deletes a folder with its messages, and its subscription; folders below it stay, or the server refuses.
   * INBOX is refused.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  delete(params: InSession<MailboxDeleteParams>, options?: CallOptions): Promise<MailboxDeleteResult>;
  /**
   * Adds a folder to the subscribed ones.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  subscribe(params: InSession<MailboxSubscribeParams>, options?: CallOptions): Promise<MailboxSubscribeResult>;
  /**
   * Takes a folder out of the subscribed ones, also one that is gone.
   * @throws RpcError of kind IMAP_NO
   */
  unsubscribe(params: InSession<MailboxUnsubscribeParams>, options?: CallOptions): Promise<MailboxUnsubscribeResult>;
}

export interface MailboxCallsInSession {
  /**
   * Lists all folders: parents before children; among siblings INBOX, flagged, drafts, sent, archive, all, junk,
   * trash, then the others by name. Each parent is in the list.
   * @throws RpcError of kind IMAP_NO, TOO_LARGE
   */
  list(params?: Anew<MailboxListParams>, options?: CallOptions): Promise<MailboxListResult>;
  /**
   * Lists all folders: parents before children; among siblings INBOX, flagged, drafts, sent, archive, all, junk,
   * trash, then the others by name. Each parent is in the list. With `ifState` it answers `{ unchanged: true }`
   * where nothing has changed since then.
   * @throws RpcError of kind IMAP_NO, TOO_LARGE
   */
  list(params?: MailboxListParams, options?: CallOptions): Promise<MailboxListResult | Unchanged>;
  /**
   * Counts of folders, without selecting them: one LIST-STATUS where offered, else one STATUS per folder.
   * @throws RpcError of kind IMAP_NO
   */
  status(params: Anew<MailboxStatusParams>, options?: CallOptions): Promise<MailboxStatusResult>;
  /**
   * Counts of folders, without selecting them: one LIST-STATUS where offered, else one STATUS per folder. With
   * `ifState` it answers `{ unchanged: true }` where nothing has changed since then.
   * @throws RpcError of kind IMAP_NO
   */
  status(params: MailboxStatusParams, options?: CallOptions): Promise<MailboxStatusResult | Unchanged>;
  /**
   * What one folder is and allows: SELECT, STATUS, MYRIGHTS and LIST in one packet; where the folder is selected
   * already, a NOOP and then the others.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  info(params: MailboxInfoParams, options?: CallOptions): Promise<MailboxInfoResult>;
  /**
   * Who may do what with a folder (GETACL, RFC 4314); it takes the right `a`.
   * @throws RpcError of kind UNSUPPORTED, NOT_FOUND, IMAP_NO
   */
  acl(params: MailboxAclParams, options?: CallOptions): Promise<MailboxAclResult>;
  /**
   * Annotations of a folder, or of the server (GETMETADATA, RFC 5464).
   * @throws RpcError of kind UNSUPPORTED, NOT_FOUND, IMAP_NO
   */
  metadata(params: MailboxMetadataParams, options?: CallOptions): Promise<MailboxMetadataResult>;
  /**
   * What became of a folder since a state that message.list or an earlier mailbox.changes answered, also by
   * another broker or before a restart. Speaks of new messages and of those in pages that carried a state.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO, TOO_LARGE
   */
  changes<const F extends Fields = DefaultFields>(
    params: MailboxChangesParams<F>,
    options?: CallOptions,
  ): Promise<MailboxChangesResult<Row<MessageSummary, F>>>;
  /**
   * Creates a folder, with its parents. The name goes to the server as it is: where session.info tells a prefix,
   * the name begins with that.
   * @throws RpcError of kind IMAP_NO
   */
  create(params: MailboxCreateParams, options?: CallOptions): Promise<MailboxCreateResult>;
  /**
   * Renames a folder and those below it; subscriptions move along. INBOX is refused.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  rename(params: MailboxRenameParams, options?: CallOptions): Promise<MailboxRenameResult>;
  /**
   * Deletes a folder with its messages, and its subscription; folders below it stay, or the server refuses.
   * INBOX is refused.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  delete(params: MailboxDeleteParams, options?: CallOptions): Promise<MailboxDeleteResult>;
  /**
   * Adds a folder to the subscribed ones.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  subscribe(params: MailboxSubscribeParams, options?: CallOptions): Promise<MailboxSubscribeResult>;
  /**
   * Takes a folder out of the subscribed ones, also one that is gone.
   * @throws RpcError of kind IMAP_NO
   */
  unsubscribe(params: MailboxUnsubscribeParams, options?: CallOptions): Promise<MailboxUnsubscribeResult>;
}
