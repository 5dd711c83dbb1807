import brokerDrain from './admin/act/drain.js';
import accountKick from './admin/act/kick-account.js';
import sessionKick from './admin/act/kick-session.js';
import socketKick from './admin/act/kick-socket.js';
import logLevel from './admin/act/log-level.js';
import brokerPause from './admin/act/pause.js';
import serverProbe from './admin/act/probe.js';
import poolReconnect from './admin/act/reconnect.js';
import brokerReload from './admin/act/reload.js';
import brokerResume from './admin/act/resume.js';
import keysRotate from './admin/act/rotate-keys.js';
import traceStart from './admin/act/trace-start.js';
import traceStop from './admin/act/trace-stop.js';
import accountList from './account-list.js';
import configGet from './admin/see/config.js';
import connectionList from './admin/see/connections.js';
import brokerRemaining from './admin/see/remaining.js';
import serverList from './admin/see/servers.js';
import sessionList from './admin/see/sessions.js';
import requestSlowest from './admin/see/slowest.js';
import socketList from './admin/see/sockets.js';
import brokerStatus from './broker-status.js';
import streamList from './admin/see/streams.js';
import requestWaiting from './admin/see/waiting.js';
import watchList from './admin/see/watches.js';
import rpcDiscover from './broker/discover.js';
import brokerPing from './broker/ping.js';
import type { Handlers } from './context.js';
import eventsResume from './events/resume.js';
import mailboxChanges from './mailbox/changes.js';
import mailboxCreate from './mailbox/create.js';
import mailboxDelete from './mailbox/delete.js';
import mailboxList from './mailbox/list.js';
import mailboxRename from './mailbox/rename.js';
import mailboxStatus from './mailbox/status.js';
import mailboxSubscribe from './mailbox/subscribe.js';
import mailboxUnsubscribe from './mailbox/unsubscribe.js';
import messageAppend from './message-append.js';
import messageCopy from './message/copy.js';
import messageDelete from './message/delete.js';
import messageFlag from './message/flag.js';
import messageGet from './message-get.js';
import messageList from './message-list.js';
import messageMove from './message/move.js';
import messagePart from './message-part.js';
import messageSearch from './message/search.js';
import messageSource from './message/source.js';
import messageThreads from './message/threads.js';
import quotaGet from './quota/get.js';
import sessionClose from './session/close.js';
import sessionInfo from './session/info.js';
import sessionOpen from './session-open.js';
import sessionRefresh from './session/refresh.js';
import sessionRenew from './session/renew.js';
import sessionRevoke from './session/revoke.js';
import watchStart from './watch/start.js';
import watchStop from './watch/stop.js';

/** The handler of every method. */
export const handlers: Handlers = {
  'session.open': sessionOpen,
  'session.info': sessionInfo,
  'session.refresh': sessionRefresh,
  'session.revoke': sessionRevoke,
  'session.renew': sessionRenew,
  'session.close': sessionClose,
  'mailbox.list': mailboxList,
  'mailbox.status': mailboxStatus,
  'mailbox.changes': mailboxChanges,
  'mailbox.create': mailboxCreate,
  'mailbox.rename': mailboxRename,
  'mailbox.delete': mailboxDelete,
  'mailbox.subscribe': mailboxSubscribe,
  'mailbox.unsubscribe': mailboxUnsubscribe,
  'message.list': messageList,
  'message.get': messageGet,
  'message.part': messagePart,
  'message.source': messageSource,
  'message.search': messageSearch,
  'message.threads': messageThreads,
  'message.flag': messageFlag,
  'message.copy': messageCopy,
  'message.move': messageMove,
  'message.delete': messageDelete,
  'message.append': messageAppend,
  'watch.start': watchStart,
  'watch.stop': watchStop,
  'events.resume': eventsResume,
  'quota.get': quotaGet,
  'broker.ping': brokerPing,
  'rpc.discover': rpcDiscover,
  'server.list': serverList,
  'account.list': accountList,
  'connection.list': connectionList,
  'session.list': sessionList,
  'watch.list': watchList,
  'socket.list': socketList,
  'stream.list': streamList,
  'broker.status': brokerStatus,
  'config.get': configGet,
  'trace.start': traceStart,
  'trace.stop': traceStop,
  'broker.drain': brokerDrain,
  'broker.remaining': brokerRemaining,
  'broker.reload': brokerReload,
  'log.level': logLevel,
  'keys.rotate': keysRotate,
  'server.probe': serverProbe,
  'broker.pause': brokerPause,
  'broker.resume': brokerResume,
  'pool.reconnect': poolReconnect,
  'account.kick': accountKick,
  'socket.kick': socketKick,
  'session.kick': sessionKick,
  'request.slowest': requestSlowest,
  'request.waiting': requestWaiting,
};
