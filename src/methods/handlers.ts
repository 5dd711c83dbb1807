import accountList from './admin/accounts.js';
import configGet from './admin/config.js';
import connectionList from './admin/connections.js';
import brokerDrain from './admin/drain.js';
import accountKick from './admin/kick-account.js';
import sessionKick from './admin/kick-session.js';
import socketKick from './admin/kick-socket.js';
import logLevel from './admin/log-level.js';
import brokerPause from './admin/pause.js';
import serverProbe from './admin/probe.js';
import poolReconnect from './admin/reconnect.js';
import brokerReload from './admin/reload.js';
import brokerRemaining from './admin/remaining.js';
import brokerResume from './admin/resume.js';
import keysRotate from './admin/rotate-keys.js';
import serverList from './admin/servers.js';
import sessionList from './admin/sessions.js';
import requestSlowest from './admin/slowest.js';
import socketList from './admin/sockets.js';
import brokerStatus from './admin/status.js';
import streamList from './admin/streams.js';
import traceStart from './admin/trace-start.js';
import traceStop from './admin/trace-stop.js';
import requestWaiting from './admin/waiting.js';
import watchList from './admin/watches.js';
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
import messageAppend from './message/append.js';
import messageCopy from './message/copy.js';
import messageDelete from './message/delete.js';
import messageFlag from './message/flag.js';
import messageGet from './message/get.js';
import messageList from './message/list.js';
import messageMove from './message/move.js';
import messagePart from './message/part.js';
import messageSearch from './message/search.js';
import messageSource from './message/source.js';
import messageThreads from './message/threads.js';
import quotaGet from './quota/get.js';
import sessionClose from './session/close.js';
import sessionInfo from './session/info.js';
import sessionOpen from './session/open.js';
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
