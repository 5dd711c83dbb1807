import type { ImapConnection } from '../../../imap/connection/connection.js';
import { refreshWith } from '../../../imap/connection/refresh-with.js';
import type { ListedMailbox } from '../../../imap/mailboxes/mailbox-list.js';
import { fetchLinked, type Linked, serverThreadOf, threadField } from '../../../imap/messages/threads/linked.js';
import { canonicalName } from '../../../imap/wire/mailbox-names.js';
import type { Params, Result } from '../../../protocol/contract.js';
import { BrokerError } from '../../../protocol/errors.js';
import { type Field, type MessageSummary, membersOf } from '../../../protocol/rows.js';
import { atMost } from '../../../runtime/wait.js';
import type { Handler } from '../../context.js';
import { jobOf } from '../../support/job.js';
import { metaOf } from '../../support/meta.js';
import { listForThread, type ThreadFolders, threadFolders } from './thread-folders.js';
import { type Found, ThreadSearch } from './thread-search.js';

type Asked = Params<'message.thread'>;
type Told = Omit<Result<'message.thread'>, 'meta' | 'explain'>;

/** The share of the time that is left for sending what was found, and the most of it in milliseconds. */
const RESERVE = 0.1;
const MOST_RESERVE_MS = 1_000;

/** Asks the server each time: mail of other folders may have come, and no view of them is asked for. */
export const conversationOf: Handler<'message.thread'> = (context, params) =>
  context.account.run(jobOf(context, { effect: 'read', mailbox: params.mailbox }), async (connection) => {
    const asOf = new Date();
    const told = await gather(connection, params, context.deadlineAt);
    return { ...told, meta: metaOf({ source: 'server', asOf }) };
  });

async function gather(connection: ImapConnection, params: Asked, deadlineAt: number): Promise<Told> {
  const { mailbox, uid } = params;
  const fields = [...new Set(params.fields)];
  const { uidValidity, seed, listed } = await begin(connection, params, [...fields, ...threadField(connection)]);
  if (!seed)
    throw new BrokerError('NOT_FOUND', `uid: the folder "${mailbox}" has no message ${uid}.`, { field: 'uid' });
  const own = { ...seed, mailbox: canonicalName(mailbox), uidValidity };
  const thread = serverThreadOf(connection, seed.summary);
  const folders = await threadFolders(connection, listed, mailbox, params.mailboxes);
  const search = new ThreadSearch(connection, folders.names, fields, own);
  const left = deadlineAt - Date.now();
  const searching = thread ? search.byServer(thread) : search.byHeaders();
  await inTime(searching, left - Math.min(left * RESERVE, MOST_RESERVE_MS));
  const found = withOwn(search.messages, own, folders, params.mailboxes !== undefined);
  return {
    messages: withoutCopies(found, folders.all).map((one) => rowOf(one, fields)),
    more: search.more,
    incomplete: search.incomplete,
    by: thread ? 'server' : 'headers',
  };
}

interface Begun {
  uidValidity: number;
  /** Undefined where there is no such message. */
  seed: Linked | undefined;
  listed: ListedMailbox[];
}

/** The message and all folders: in one round trip where the message's folder is selected, else in two. */
async function begin(
  connection: ImapConnection,
  { mailbox, uidValidity, uid }: Asked,
  fields: readonly Field[],
): Promise<Begun> {
  const read = async (): Promise<Omit<Begun, 'uidValidity'>> => {
    const [[seed], listed] = await connection.together(() =>
      Promise.all([fetchLinked(connection, [uid], fields), listForThread(connection)]),
    );
    return { seed, listed };
  };
  const { selected } = connection;
  if (selected?.path === canonicalName(mailbox) && selected.uidValidity === uidValidity && !connection.troubled) {
    let ahead: Omit<Begun, 'uidValidity'> | undefined;
    const fresh = await refreshWith(connection, async () => {
      ahead = await read();
    });
    if (fresh && ahead) return { uidValidity, ...ahead };
  }
  const opened = await connection.select(mailbox, { uidValidity });
  return { uidValidity: opened.uidValidity, ...(await read()) };
}

/** Waits for work, but not longer; the connection is ended where its command is still on the wire then. */
async function inTime(work: Promise<void>, ms: number): Promise<void> {
  let failed: { failure: unknown } | undefined;
  const settled = work.catch((failure: unknown) => {
    failed = { failure };
  });
  await atMost(Math.max(0, ms), (onEnd) => void settled.then(onEnd));
  if (failed) throw failed.failure;
}

/** The message that was asked for is there where its folder is, and by default unless \\All has a copy of it. */
function withOwn(found: readonly Found[], own: Found, { names, all }: ThreadFolders, named: boolean): Found[] {
  const isOwn = ({ mailbox, summary }: Found) => mailbox === own.mailbox && summary.uid === own.summary.uid;
  const isCopy = ({ mailbox, links }: Found) => mailbox === all && links.id !== null && links.id === own.links.id;
  const wanted = !named || names.includes(own.mailbox);
  if (!wanted || found.some((one) => isOwn(one) || isCopy(one))) return [...found];
  const at = found.findIndex(({ date }) => date > own.date);
  return at < 0 ? [...found, own] : found.toSpliced(at, 0, own);
}

/** Leaves out what the folder with all messages has of a message that another folder has as well. */
function withoutCopies(found: readonly Found[], all: string | undefined): Found[] {
  if (all === undefined) return [...found];
  const elsewhere = new Set(
    found.flatMap(({ mailbox, links: { id } }) => (mailbox === all || id === null ? [] : [id])),
  );
  return found.filter(({ mailbox, links: { id } }) => mailbox !== all || id === null || !elsewhere.has(id));
}

function rowOf({ mailbox, uidValidity, summary }: Found, fields: readonly Field[]): Told['messages'][number] {
  const { uid, unreadable, ...all } = summary;
  const row: MessageSummary = { uid };
  const members = membersOf(fields);
  for (const member of members) if (member in all) Object.assign(row, { [member]: all[member] });
  if (members.includes('preview')) row.previewSource = all.previewSource;
  const cut = unreadable?.filter((member) => members.includes(member)) ?? [];
  return { mailbox, uidValidity, ...row, ...(cut.length > 0 && { unreadable: cut }) };
}
