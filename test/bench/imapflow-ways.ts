import { type FetchMessageObject, ImapFlow, type MessageStructureObject } from 'imapflow';
import { ATTACHMENT_BYTES, ATTACHMENT_PART, ATTACHMENT_UID, SEARCHED } from './content.js';

/** Where a user's mail is. */
export interface Place {
  port: number;
  user: string;
  password: string;
  /** The authority to trust; without it there is no TLS. */
  ca?: string;
}

/** What is measured, done by imapflow on a connection that has the INBOX selected. */
export interface FlowActions {
  index(): Promise<void>;
  open(uid: number): Promise<void>;
  flag(uid: number, on: boolean): Promise<void>;
  counts(): Promise<void>;
  search(): Promise<void>;
  attachment(chunkBytes: number): Promise<void>;
}

export const PAGE = 50;
export const COUNTED = ['Drafts', 'Sent', 'Trash', 'Junk', 'Archive'];
const FIELDS = { uid: true, envelope: true, flags: true, size: true, internalDate: true };
/** Longer than a run: a connection waits for its turn. */
const NEVER_MS = 3_600_000;

/** A connection that is logged in. */
export async function connect({ port, user, password, ca }: Place): Promise<ImapFlow> {
  const flow = new ImapFlow({
    host: '127.0.0.1',
    port,
    secure: ca !== undefined,
    doSTARTTLS: false,
    servername: 'localhost',
    ...(ca === undefined ? {} : { tls: { ca } }),
    auth: { user, pass: password },
    logger: false,
    disableAutoIdle: true,
    socketTimeout: NEVER_MS,
  });
  flow.on('error', () => {});
  await flow.connect();
  return flow;
}

/** Connects, logs in, selects the INBOX, does one thing and logs out: what a short-lived worker does at each click. */
export function perClick(place: Place): FlowActions {
  const click = async (work: (actions: FlowActions) => Promise<void>) => {
    const flow = await connect(place);
    try {
      await flow.mailboxOpen('INBOX');
      await work(onFlow(flow));
    } finally {
      await flow.logout();
    }
  };
  return {
    index: () => click((actions) => actions.index()),
    open: (uid) => click((actions) => actions.open(uid)),
    flag: (uid, on) => click((actions) => actions.flag(uid, on)),
    counts: () => click((actions) => actions.counts()),
    search: () => click((actions) => actions.search()),
    attachment: (chunkBytes) => click((actions) => actions.attachment(chunkBytes)),
  };
}

/** As few commands as there can be for each, on one connection; many callers queue for it. */
export function onFlow(flow: ImapFlow): FlowActions {
  return {
    index: async () => {
      const exists = flow.mailbox ? flow.mailbox.exists : 0;
      const rows = await flow.fetchAll(`${Math.max(1, exists - PAGE + 1)}:*`, FIELDS);
      need(rows.length === PAGE, 'index page');
    },
    open: async (uid) => {
      const found = await flow.fetchOne(`${uid}`, { ...FIELDS, bodyStructure: true }, { uid: true });
      need(found !== false && found.bodyStructure !== undefined, 'message');
      const texts = textParts(found.bodyStructure);
      const parts = texts.map(({ part = '1' }) => part);
      const bodies = await flow.fetchOne(`${uid}`, { bodyParts: parts }, { uid: true });
      need(bodies !== false && texts.every((text) => decoded(text, bodies).length > 0), 'text');
    },
    flag: async (uid, on) => {
      const change = on ? flow.messageFlagsAdd.bind(flow) : flow.messageFlagsRemove.bind(flow);
      need(await change(`${uid}`, ['\\Flagged'], { uid: true }), 'flag');
    },
    counts: async () => {
      const items = { messages: true, unseen: true, uidNext: true, uidValidity: true };
      for (const mailbox of COUNTED) need(await flow.status(mailbox, items), 'counts');
    },
    search: async () => {
      const hits = await flow.search({ from: SEARCHED }, { uid: true });
      need(hits !== false && hits !== undefined && hits.length > PAGE, 'hits');
      const rows = await flow.fetchAll(hits.slice(-PAGE).join(','), FIELDS, { uid: true });
      need(rows.length === PAGE, 'page of hits');
    },
    attachment: async (chunkSize) => {
      const { content } = await flow.download(`${ATTACHMENT_UID}`, ATTACHMENT_PART, { uid: true, chunkSize });
      need(content !== undefined, 'attachment');
      let bytes = 0;
      for await (const chunk of content) bytes += (chunk as Buffer).length;
      need(bytes === ATTACHMENT_BYTES, 'attachment');
    },
  };
}

/** A way that does less than the others must not win. */
export function need(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(`The ${what} is not what it should be.`);
}

function textParts(node: MessageStructureObject | undefined): MessageStructureObject[] {
  if (!node) return [];
  if (node.childNodes) return node.childNodes.flatMap(textParts);
  return node.type.startsWith('text/') && node.disposition !== 'attachment' ? [node] : [];
}

/** The messages of the bench are in UTF-8, and in base64 where they are not in ASCII. */
function decoded({ part = '1', encoding }: MessageStructureObject, { bodyParts }: FetchMessageObject): string {
  const bytes = bodyParts?.get(part) ?? Buffer.alloc(0);
  return encoding === 'base64' ? Buffer.from(bytes.toString('latin1'), 'base64').toString() : bytes.toString();
}
