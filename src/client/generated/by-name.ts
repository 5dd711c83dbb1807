// Written by `npm run docs` from src/protocol.

import type { AppendBytes, AppendStream, InSession } from '../calls.js';
import type {
  BrokerHistoryResult,
  BrokerStatusResult,
  ConfigGetResult,
  TraceStartParams,
  TraceStartResult,
  TraceStopParams,
  TraceStopResult,
} from './admin-broker.js';
import type {
  AccountKickParams,
  AccountKickResult,
  BrokerDrainParams,
  BrokerDrainResult,
  BrokerPauseParams,
  BrokerPauseResult,
  BrokerReloadResult,
  BrokerRemainingResult,
  BrokerResumeParams,
  BrokerResumeResult,
  KeysRotateResult,
  LogLevelParams,
  LogLevelResult,
  PoolReconnectParams,
  PoolReconnectResult,
  ServerProbeParams,
  ServerProbeResult,
  SessionKickParams,
  SessionKickResult,
  SessionRevokeParams,
  SessionRevokeResult,
  SocketKickParams,
  SocketKickResult,
} from './admin-do.js';
import type { RequestSlowestResult, RequestWaitingParams, RequestWaitingResult } from './admin-requests.js';
import type {
  AccountListParams,
  AccountListResult,
  ConnectionListParams,
  ConnectionListResult,
  ServerListResult,
  SessionListParams,
  SessionListResult,
  SocketListParams,
  SocketListResult,
  StreamListParams,
  StreamListResult,
  WatchListParams,
  WatchListResult,
} from './admin-see.js';
import type { BrokerPingResult, QuotaGetParams, QuotaGetResult, RpcDiscoverResult } from './broker.js';
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
import type { MessageListParams, MessageListResult } from './message-list.js';
import type {
  MessageGetParams,
  MessageGetResult,
  MessagePartParams,
  MessagePartResult,
  MessageSourceParams,
  MessageSourceResult,
} from './message-read.js';
import type { MessageSearchParams, MessageSearchResult } from './message-search.js';
import type {
  MessageThreadParams,
  MessageThreadResult,
  MessageThreadsParams,
  MessageThreadsResult,
} from './message-threads.js';
import type {
  MessageAppendParams,
  MessageAppendResult,
  MessageCopyParams,
  MessageCopyResult,
  MessageDeleteParams,
  MessageDeleteResult,
  MessageFlagParams,
  MessageFlagResult,
  MessageLabelParams,
  MessageLabelResult,
  MessageMoveParams,
  MessageMoveResult,
} from './message-write.js';
import type { RequestParams } from './models.js';
import type {
  Session,
  SessionCloseResult,
  SessionInfo,
  SessionOpenParams,
  SessionRefreshParams,
  SessionRefreshResult,
  SessionRenewResult,
} from './session.js';
import type { EventsResumeResult, WatchStartResult, WatchStopResult } from './watch.js';

/** Parameters of each method, as a call takes them. */
export interface ParamsByMethod {
  'session.open': SessionOpenParams;
  'session.info': InSession<RequestParams>;
  'session.refresh': InSession<SessionRefreshParams>;
  'session.renew': InSession<RequestParams>;
  'session.close': InSession<RequestParams>;
  'mailbox.list': InSession<MailboxListParams>;
  'mailbox.status': InSession<MailboxStatusParams>;
  'mailbox.info': InSession<MailboxInfoParams>;
  'mailbox.acl': InSession<MailboxAclParams>;
  'mailbox.metadata': InSession<MailboxMetadataParams>;
  'mailbox.changes': InSession<MailboxChangesParams>;
  'mailbox.create': InSession<MailboxCreateParams>;
  'mailbox.rename': InSession<MailboxRenameParams>;
  'mailbox.delete': InSession<MailboxDeleteParams>;
  'mailbox.subscribe': InSession<MailboxSubscribeParams>;
  'mailbox.unsubscribe': InSession<MailboxUnsubscribeParams>;
  'message.list': InSession<MessageListParams>;
  'message.search': InSession<MessageSearchParams>;
  'message.threads': InSession<MessageThreadsParams>;
  'message.thread': InSession<MessageThreadParams>;
  'message.get': InSession<MessageGetParams>;
  'message.part': InSession<MessagePartParams>;
  'message.source': InSession<MessageSourceParams>;
  'message.flag': InSession<MessageFlagParams>;
  'message.label': InSession<MessageLabelParams>;
  'message.copy': InSession<MessageCopyParams>;
  'message.move': InSession<MessageMoveParams>;
  'message.delete': InSession<MessageDeleteParams>;
  'message.append': InSession<MessageAppendParams> & (AppendBytes | AppendStream);
  'quota.get': InSession<QuotaGetParams>;
  'broker.ping': RequestParams;
  'rpc.discover': RequestParams;
  'server.list': RequestParams;
  'account.list': AccountListParams;
  'connection.list': ConnectionListParams;
  'session.list': SessionListParams;
  'watch.list': WatchListParams;
  'socket.list': SocketListParams;
  'stream.list': StreamListParams;
  'broker.status': RequestParams;
  'broker.history': RequestParams;
  'config.get': RequestParams;
  'trace.start': TraceStartParams;
  'trace.stop': TraceStopParams;
  'broker.drain': BrokerDrainParams;
  'broker.remaining': RequestParams;
  'broker.reload': RequestParams;
  'log.level': LogLevelParams;
  'keys.rotate': RequestParams;
  'server.probe': ServerProbeParams;
  'broker.pause': BrokerPauseParams;
  'broker.resume': BrokerResumeParams;
  'pool.reconnect': PoolReconnectParams;
  'account.kick': AccountKickParams;
  'socket.kick': SocketKickParams;
  'session.kick': SessionKickParams;
  'session.revoke': SessionRevokeParams;
  'request.slowest': RequestParams;
  'request.waiting': RequestWaitingParams;
}

/** What each method answers. */
export interface ResultByMethod {
  'session.open': Session;
  'session.info': SessionInfo;
  'session.refresh': SessionRefreshResult;
  'session.renew': SessionRenewResult;
  'session.close': SessionCloseResult;
  'mailbox.list': MailboxListResult;
  'mailbox.status': MailboxStatusResult;
  'mailbox.info': MailboxInfoResult;
  'mailbox.acl': MailboxAclResult;
  'mailbox.metadata': MailboxMetadataResult;
  'mailbox.changes': MailboxChangesResult;
  'mailbox.create': MailboxCreateResult;
  'mailbox.rename': MailboxRenameResult;
  'mailbox.delete': MailboxDeleteResult;
  'mailbox.subscribe': MailboxSubscribeResult;
  'mailbox.unsubscribe': MailboxUnsubscribeResult;
  'message.list': MessageListResult;
  'message.search': MessageSearchResult;
  'message.threads': MessageThreadsResult;
  'message.thread': MessageThreadResult;
  'message.get': MessageGetResult;
  'message.part': MessagePartResult;
  'message.source': MessageSourceResult;
  'message.flag': MessageFlagResult;
  'message.label': MessageLabelResult;
  'message.copy': MessageCopyResult;
  'message.move': MessageMoveResult;
  'message.delete': MessageDeleteResult;
  'message.append': MessageAppendResult;
  'watch.start': WatchStartResult;
  'watch.stop': WatchStopResult;
  'events.resume': EventsResumeResult;
  'quota.get': QuotaGetResult;
  'broker.ping': BrokerPingResult;
  'rpc.discover': RpcDiscoverResult;
  'server.list': ServerListResult;
  'account.list': AccountListResult;
  'connection.list': ConnectionListResult;
  'session.list': SessionListResult;
  'watch.list': WatchListResult;
  'socket.list': SocketListResult;
  'stream.list': StreamListResult;
  'broker.status': BrokerStatusResult;
  'broker.history': BrokerHistoryResult;
  'config.get': ConfigGetResult;
  'trace.start': TraceStartResult;
  'trace.stop': TraceStopResult;
  'broker.drain': BrokerDrainResult;
  'broker.remaining': BrokerRemainingResult;
  'broker.reload': BrokerReloadResult;
  'log.level': LogLevelResult;
  'keys.rotate': KeysRotateResult;
  'server.probe': ServerProbeResult;
  'broker.pause': BrokerPauseResult;
  'broker.resume': BrokerResumeResult;
  'pool.reconnect': PoolReconnectResult;
  'account.kick': AccountKickResult;
  'socket.kick': SocketKickResult;
  'session.kick': SessionKickResult;
  'session.revoke': SessionRevokeResult;
  'request.slowest': RequestSlowestResult;
  'request.waiting': RequestWaitingResult;
}

/** Parameters of a method. */
export type ParamsIn<M extends keyof ParamsByMethod> = ParamsByMethod[M];

/** What a method answers. */
export type Result<M extends keyof ResultByMethod> = ResultByMethod[M];
