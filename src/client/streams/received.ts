import { protocolLimits } from '../../protocol/limits.js';
import type { MethodName } from '../generated/methods.js';
import { boolean, integer, list, nullable, number, object, oneOf, optional, type Shape, text } from './shapes.js';

// What a client relies on of all that a broker sends. Client and broker need not be of one version, so everything else
// may differ. By hand and not from the contract, whose validation would be the largest part of a client.

const { eventFlags, eventFolders, eventMessages, uidsPerRequest, watchedPerAccount } = protocolLimits;

const anyText = text();
const texts = list(anyText);
const uid = integer(1, 4_294_967_295);
const streamId = integer(1, 4_294_967_295);

/** The `error` member of an answer. Kinds may be added to the protocol. */
const wireError = object({
  code: number(),
  message: anyText,
  data: object({
    kind: anyText,
    executed: oneOf('no', 'maybe', 'yes'),
    retryAfterMs: optional(number(0)),
    field: optional(anyText),
    imap: optional(object({ status: anyText, code: optional(anyText), text: anyText })),
  }),
});

/** What a client sends back in events.resume, which would be refused with other values. */
const topic = { topic: text(200), epoch: text(100, /^[!-~]+$/) };
const position = { ...topic, seq: integer(0) };

const begun = {
  ...position,
  mailboxes: list(
    object({ mailbox: anyText, uidValidity: nullable(integer()), lagMs: integer(), state: nullable(anyText) }),
    watchedPerAccount,
  ),
  folders: optional(boolean),
};

/** Where the bytes of an answer are. */
export type Carried = { stream: number; data: null } | { stream: null; data: string };

const carriers = object({ stream: nullable(streamId), data: nullable(anyText) });
const carried: Shape = (value) => {
  const complaint = carriers(value);
  if (complaint !== undefined) return complaint;
  const { stream, data } = value as { stream: unknown; data: unknown };
  return (stream === null) === (data === null) ? 'neither a stream nor data, or both' : undefined;
};

/** The results that a client itself acts upon. */
const results: Partial<Record<MethodName, Shape>> = {
  'watch.start': object(begun),
  'events.resume': object({
    ...begun,
    missing: list(anyText, watchedPerAccount),
    replayed: integer(),
    resync: boolean,
  }),
  'message.part': carried,
  'message.source': carried,
};

/** The members that all events have, and those of each type. Types may be added to the protocol. */
const anyEvent = object({ ...position, type: anyText, mailbox: optional(anyText) });
const inFolder = { mailbox: anyText, at: anyText };
const names = list(anyText, eventFolders);
const events: Record<string, Shape> = {
  new: object({
    ...inFolder,
    uidValidity: integer(),
    messages: list(object({ uid }), eventMessages),
    more: optional(boolean),
  }),
  changed: object({
    ...inFolder,
    uidValidity: integer(),
    messages: list(object({ uid, flags: texts }), eventFlags),
  }),
  vanished: object({ ...inFolder, uidValidity: integer(), uids: list(uid, uidsPerRequest) }),
  counts: object({ ...inFolder, counts: object({ messages: integer(), unseen: integer(), uidValidity: integer() }) }),
  reset: object({ ...inFolder, uidValidity: optional(integer()) }),
  folders: object({
    at: anyText,
    created: names,
    deleted: names,
    renamed: list(object({ from: anyText, to: anyText }), eventFolders),
    subscribed: names,
    unsubscribed: names,
    more: optional(boolean),
  }),
};
const event: Shape = (value) => {
  const complaint = anyEvent(value);
  if (complaint !== undefined) return complaint;
  const { type } = value as { type: string };
  return Object.hasOwn(events, type) ? events[type]?.(value) : undefined;
};

/** The params of notifications. */
const notifications: Record<string, Shape> = {
  'broker.hello': object({ version: anyText, epoch: anyText, heartbeatMs: integer(), limits: object({}) }),
  'broker.draining': object({ graceMs: integer() }),
  'session.expiring': object({ server: anyText, user: anyText, what: anyText, expiresAt: anyText }),
  event,
  'watch.ended': object(topic),
  trace: object({ trace: anyText, at: anyText, socket: anyText, method: anyText, ms: number(), outcome: anyText }),
  '$/credit': object({ stream: streamId, bytes: integer(1, 1_073_741_824) }),
};

const abortReason = object({ kind: anyText, message: anyText });

/** Whether a notification is one that concerns a client. */
export function isNotification(name: string): boolean {
  return Object.hasOwn(notifications, name);
}

/** What is wrong with the params of such a notification; undefined where nothing is wrong. */
export function wrongNotification(name: string, params: unknown): string | undefined {
  return notifications[name]?.(params);
}

/** What is wrong with the error of an answer; undefined where nothing is wrong. */
export function wrongError(error: unknown): string | undefined {
  return wireError(error);
}

/** What is wrong with a result, as far as a client acts upon the result; undefined where nothing is wrong. */
export function wrongResult(method: MethodName, result: unknown): string | undefined {
  return results[method]?.(result);
}

/** What is wrong with the reason in the ABORT frame of a stream; undefined where nothing is wrong. */
export function wrongReason(reason: unknown): string | undefined {
  return abortReason(reason);
}
