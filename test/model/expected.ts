import type { Result } from '../../src/protocol/contract.js';
import type { Thread } from '../../src/protocol/methods/message-threads.js';
import type { ListField } from '../../src/protocol/rows.js';
import { AnsweredError } from '../support/running-broker.js';
import { orders, type SearchName, type SortName, searches } from './commands.js';
import { textOf } from './mails.js';
import { type Folder, type Mail, ServerTrouble, type State } from './state.js';

/** What a request came to; only what tells of the server's state, so that two of them can be compared. */
export type Outcome = { ok: unknown } | { error: string };

/** Where a page begins. */
export interface PageStart {
  cursor: string;
  uidValidity: number;
  /** The uid of the last message before it. */
  below: number;
}

/**
 * Runs a request; only an error that the broker answered is an outcome.
 * @param deletes whether it deletes a folder
 * @throws ServerTrouble where the server refused for a fault of its own
 */
export async function outcomeOf(request: Promise<unknown>, deletes = false): Promise<Outcome> {
  try {
    return { ok: await request };
  } catch (error) {
    if (!(error instanceof AnsweredError)) throw error;
    if (error.data.kind === 'IMAP_NO' && isServerTrouble(error.data.imap, deletes))
      throw new ServerTrouble(error.message);
    return { error: error.data.kind };
  }
}

/**
 * Dovecot says SERVERBUG for a moment where a folder was just made again. Cyrus keeps deleted folders under a name that
 * ends with the second, and refuses a second DELETE of the same name in that second.
 */
function isServerTrouble(imap: AnsweredError['data']['imap'], deletes: boolean): boolean {
  return imap?.code === 'SERVERBUG' || (deletes && imap?.text === 'Mailbox already exists');
}

/** The members of rows that message.list answers when nothing else is asked for. */
export const usualFields: readonly ListField[] = ['envelope', 'flags', 'size', 'internalDate'];

/** What message.list must answer when the folder is in a state. */
export function expectedPage(
  state: State,
  limit: number,
  start: PageStart | undefined,
  fields: readonly ListField[] = usualFields,
): Outcome {
  if (!state) return { error: 'NOT_FOUND' };
  if (start && start.uidValidity !== state.uidValidity) return { error: 'STATE_CHANGED' };
  const below = start ? state.mails.filter(({ uid }) => uid < start.below) : state.mails;
  return {
    ok: {
      uidValidity: state.uidValidity,
      total: state.mails.length,
      messages: below
        .slice(-limit)
        .reverse()
        .map((mail) => rowOf(mail, fields)),
      more: below.length > limit,
    },
  };
}

/** A list with a filter or a sort. */
export interface WantedList {
  filter: SearchName;
  sort: SortName;
  offset: number;
  limit: number;
  fields: readonly ListField[];
  start?: PageStart | undefined;
}

/** What message.list must answer with a filter or a sort when the folder is in a state. */
export function expectedList(state: State, { filter, sort, offset, limit, fields, start }: WantedList): Outcome {
  if (!state) return { error: 'NOT_FOUND' };
  if (start && start.uidValidity !== state.uidValidity) return { error: 'STATE_CHANGED' };
  const { key } = orders[sort];
  const hits = state.mails.filter(({ flags }) => searches[filter].finds(flags));
  hits.sort((a, b) => key(a) - key(b) || a.uid - b.uid);
  const left = start ? hits.filter(({ uid }) => uid < start.below) : hits.slice(offset);
  return {
    ok: {
      uidValidity: state.uidValidity,
      total: hits.length,
      messages: left.slice(0, limit).map((mail) => rowOf(mail, fields)),
      more: left.length > limit,
    },
  };
}

function rowOf(mail: Mail, fields: readonly ListField[]) {
  const { uid, envelope, flags, size, internalDate } = mail;
  const all: Partial<Record<ListField, unknown>> = {
    envelope,
    flags,
    size,
    internalDate,
    hasAttachment: false,
    preview: textOf(mail),
    attachments: [],
  };
  return { uid, ...Object.fromEntries(fields.map((field) => [field, all[field]])) };
}

export function shownPage({ uidValidity, total, messages, nextCursor }: Result<'message.list'>) {
  return { uidValidity, total, messages: shownRows(messages), more: nextCursor !== null };
}

/** What made a preview depends on the server. */
function shownRows(messages: Result<'message.list'>['messages']) {
  return messages.map(({ previewSource: _, ...row }) => row);
}

/** What message.get must answer. */
export function expectedMessages(state: State, uidValidity: number, uids: readonly number[]): Outcome {
  if (!state) return { error: 'NOT_FOUND' };
  if (state.uidValidity !== uidValidity) return { error: 'STATE_CHANGED' };
  const found = new Map(state.mails.map((mail) => [mail.uid, mail]));
  const messages = uids.flatMap((uid) => found.get(uid) ?? []).map((mail) => ({ ...mail, text: textOf(mail) }));
  return { ok: { messages, notFound: uids.filter((uid) => !found.has(uid)) } };
}

export function shownMessages({ messages, notFound }: Result<'message.get'>) {
  return {
    messages: messages.map(({ uid, envelope, flags, size, internalDate, textBody }) => {
      return { uid, envelope, flags, size, internalDate, text: textBody?.[0]?.content?.trim() };
    }),
    notFound,
  };
}

/** What message.search must find in a folder: uids with flags, dates and envelopes, in no order. */
export function expectedHits(state: State, finds: (flags: string[]) => boolean): Outcome {
  if (!state) return { error: 'NOT_FOUND' };
  const { mails, uidValidity } = state;
  const hits = mails
    .filter(({ flags }) => finds(flags))
    .map((mail) => ({ ...rowOf(mail, searchedFields), uidValidity }));
  return { ok: { hits } };
}

export const searchedFields: ListField[] = ['envelope', 'flags', 'internalDate'];

/** What message.search found in a folder. */
export function shownHits({ messages }: Result<'message.search'>, folder: string) {
  const hits = messages.flatMap(({ mailbox, ...row }) => (mailbox === folder ? [row] : []));
  return { hits: hits.sort((a, b) => a.uid - b.uid) };
}

/** What message.threads must answer: messages of the same content have the same subject, and so are a conversation. */
export function expectedThreads(
  state: State,
  {
    finds,
    whole,
    limit,
    fields,
  }: { finds: (flags: string[]) => boolean; whole: boolean; limit: number; fields: readonly ListField[] },
): Outcome {
  if (!state) return { error: 'NOT_FOUND' };
  const bySubject = new Map<string, Mail[]>();
  for (const mail of state.mails) {
    const { subject } = mail.envelope;
    if (whole || finds(mail.flags)) bySubject.set(subject, [...(bySubject.get(subject) ?? []), mail]);
  }
  const groups = [...bySubject.values()].filter((mails) => mails.some(({ flags }) => finds(flags)));
  groups.sort((a, b) => ((a[0]?.envelope.date ?? '') < (b[0]?.envelope.date ?? '') ? 1 : -1));
  const threads = groups.slice(0, limit).map((mails) => ({
    uids: mails.map(({ uid }) => uid),
    count: mails.length,
    unseen: mails.filter(({ flags }) => !flags.includes('\\Seen')).length,
    newest: mails[0]?.envelope.date,
    messages: mails.map((mail) => rowOf(mail, fields)),
  }));
  return { ok: { uidValidity: state.uidValidity, total: groups.length, threads } };
}

export function shownThreads({ uidValidity, total, threads }: Result<'message.threads'>) {
  const uidsOf = ({ uid, replies }: Thread): number[] => [...(uid === null ? [] : [uid]), ...replies.flatMap(uidsOf)];
  const shown = threads.map(({ tree, count, unseen, newest, messages }) => ({
    uids: uidsOf(tree).sort((a, b) => a - b),
    count,
    unseen,
    newest,
    messages: shownRows(messages),
  }));
  return { uidValidity, total, threads: shown };
}

type Counts = Result<'mailbox.status'>['statuses'][number]['counts'];

/** What mailbox.status and mailbox.list must count; the size only where the server counts it. */
export function expectedCounts(state: State, withSize: boolean): Outcome {
  return { ok: state ? countsOf(state, withSize) : null };
}

function countsOf({ uidValidity, uidNext, mails }: Folder, withSize: boolean): Counts {
  const unseen = mails.filter(({ flags }) => !flags.includes('\\Seen')).length;
  const size = withSize ? mails.reduce((sum, mail: Mail) => sum + mail.size, 0) : null;
  return { messages: mails.length, unseen, uidNext, uidValidity, size };
}
