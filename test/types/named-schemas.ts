import type { z } from 'zod';
import { contract } from '../../src/protocol/contract.js';
import { criteria, sort, sortOverFolders } from '../../src/protocol/criteria.js';
import { unchanged } from '../../src/protocol/define.js';
import { notifications } from '../../src/protocol/events.js';
import { adminBrokerMethods } from '../../src/protocol/methods/admin-broker.js';
import { adminDoMethods } from '../../src/protocol/methods/admin-do.js';
import { adminRequestMethods } from '../../src/protocol/methods/admin-requests.js';
import { adminSeeMethods } from '../../src/protocol/methods/admin-see.js';
import { brokerMethods } from '../../src/protocol/methods/broker.js';
import { mailboxMethods } from '../../src/protocol/methods/mailbox.js';
import { messageListMethods } from '../../src/protocol/methods/message-list.js';
import { messageReadMethods } from '../../src/protocol/methods/message-read.js';
import { messageSearchMethods } from '../../src/protocol/methods/message-search.js';
import { messageThreadsMethods, thread } from '../../src/protocol/methods/message-threads.js';
import { messageWriteMethods } from '../../src/protocol/methods/message-write.js';
import { sessionMethods } from '../../src/protocol/methods/session.js';
import { watchMethods } from '../../src/protocol/methods/watch.js';
import * as models from '../../src/protocol/models.js';
import { field, headerField, listField, messageSummary } from '../../src/protocol/rows.js';

/** The methods of each file of the contract, by the name of the file. */
export const contractFiles = {
  session: sessionMethods,
  mailbox: mailboxMethods,
  'message-list': messageListMethods,
  'message-search': messageSearchMethods,
  'message-threads': messageThreadsMethods,
  'message-read': messageReadMethods,
  'message-write': messageWriteMethods,
  watch: watchMethods,
  broker: brokerMethods,
  'admin-see': adminSeeMethods,
  'admin-broker': adminBrokerMethods,
  'admin-do': adminDoMethods,
  'admin-requests': adminRequestMethods,
} as const;

/** A schema that has a name of its own in the types of the client. */
export interface Named {
  name: string;
  schema: z.ZodType;
  /** The file that declares it. */
  file: string;
  about: string;
  /** Whether callers send it. */
  sent?: boolean;
  /** Whether the members of rows in it follow from `fields`. */
  rows?: boolean;
}

const [list, threads] = [contract['mailbox.list'].result.options[0], contract['message.threads'].result.options[0]];
const opened = contract['session.open'].result;
const found = {
  name: 'FoundMessage',
  file: 'models',
  about: 'A row of a message, with the folder that it is in.',
};
const [arrived, changed, vanished, counts, reset, folders] = notifications.event.params.options;

export const named: readonly Named[] = [
  { name: 'Address', schema: models.address, file: 'models', about: 'A name and an address in a header.' },
  { name: 'Envelope', schema: models.envelope, file: 'models', about: 'The headers that a list shows.' },
  { name: 'Structure', schema: models.structure, file: 'models', about: 'A part of a message, with the parts in it.' },
  { name: 'AttachmentRole', schema: models.attachmentRole, file: 'models', about: '' },
  { name: 'Attachment', schema: models.attachment, file: 'models', about: 'A part that is no text of the body.' },
  { name: 'BodyItem', schema: models.bodyItem, file: 'models', about: 'A text of the body.' },
  { name: 'StatusCounts', schema: models.statusCounts, file: 'models', about: 'How many messages a folder has.' },
  { name: 'Meta', schema: models.meta, file: 'models', about: 'Where an answer comes from, and how old it is.' },
  { name: 'Explanation', schema: models.explanation, file: 'models', about: 'What happened to a request.' },
  { name: 'ListField', schema: listField, file: 'models', about: 'A member of rows.', sent: true },
  { name: 'HeaderField', schema: headerField, file: 'models', about: '', sent: true },
  { name: 'Field', schema: field, file: 'models', about: 'A member of rows, as `fields` names it.', sent: true },
  {
    name: 'MessageSummary',
    schema: messageSummary,
    file: 'models',
    about: 'A row of an index page. Which members it has follows from `fields`.',
  },
  { ...found, schema: contract['message.search'].result.shape.messages.element },
  { ...found, schema: contract['message.thread'].result.shape.messages.element },
  {
    name: 'Unchanged',
    schema: unchanged,
    file: 'models',
    about: 'The answer to a call with `ifState` where nothing has changed.',
  },
  {
    name: 'Criteria',
    schema: criteria,
    file: 'criteria',
    about: 'Which messages are meant: all that is named must hold.',
    sent: true,
  },
  { name: 'Sort', schema: sort, file: 'criteria', about: 'What messages of a folder are sorted by.', sent: true },
  {
    name: 'SortOverFolders',
    schema: sortOverFolders,
    file: 'criteria',
    about: 'What messages of several folders are sorted by.',
    sent: true,
  },
  { name: 'Capabilities', schema: opened.shape.capabilities, file: 'session', about: 'What the IMAP server can do.' },
  { name: 'Session', schema: opened, file: 'session', about: 'A session that was opened, with its token.' },
  { name: 'SessionInfo', schema: contract['session.info'].result, file: 'session', about: 'What a session is.' },
  { name: 'Mailbox', schema: list.shape.mailboxes.element, file: 'mailbox', about: 'A folder.' },
  {
    name: 'Message',
    schema: contract['message.get'].result.shape.messages.element,
    file: 'message-read',
    about: 'A message that was opened.',
  },
  {
    name: 'Thread',
    schema: thread,
    file: 'message-threads',
    about: 'A message with the replies to it, in order of their dates.',
  },
  {
    name: 'Conversation',
    schema: threads.shape.threads.element,
    file: 'message-threads',
    about: 'A conversation.',
    rows: true,
  },
  {
    name: 'WatchedMailbox',
    schema: contract['watch.start'].result.shape.mailboxes.element,
    file: 'watch',
    about: 'A folder as it was when its watch began.',
  },
  { name: 'NewEvent', schema: arrived, file: 'events', about: 'Messages arrived.', rows: true },
  { name: 'ChangedEvent', schema: changed, file: 'events', about: 'Messages have other flags.' },
  { name: 'VanishedEvent', schema: vanished, file: 'events', about: 'Messages are gone.' },
  { name: 'CountsEvent', schema: counts, file: 'events', about: 'A folder has other counts.' },
  { name: 'ResetEvent', schema: reset, file: 'events', about: 'List the folder again.' },
  { name: 'FoldersEvent', schema: folders, file: 'events', about: 'Folders came, went or changed.' },
  {
    name: 'WatchEvent',
    schema: notifications.event.params,
    file: 'events',
    about: 'What changed in a folder that is watched.',
    rows: true,
  },
  {
    name: 'Hello',
    schema: notifications['broker.hello'].params,
    file: 'events',
    about: notifications['broker.hello'].summary,
  },
  {
    name: 'SessionExpiring',
    schema: notifications['session.expiring'].params,
    file: 'events',
    about: notifications['session.expiring'].summary,
  },
  { name: 'TraceEvent', schema: notifications.trace.params, file: 'events', about: notifications.trace.summary },
  {
    name: 'WatchEnded',
    schema: notifications['watch.ended'].params,
    file: 'events',
    about: notifications['watch.ended'].summary,
  },
];
