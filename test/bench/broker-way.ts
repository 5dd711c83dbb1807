import type { Client, ParamsIn, Result, SessionClient } from '../../src/client/index.js';
import { ATTACHMENT_BYTES, ATTACHMENT_PART, ATTACHMENT_UID, SEARCHED } from './content.js';
import { COUNTED, need, PAGE } from './imapflow-ways.js';

/** Old enough for an answer from memory. */
export const AGED = { maxAgeMs: 600_000 };
/** Validated during the request, which is the default. */
const VALIDATED = {};
type Age = { maxAgeMs?: number };

export type Page = Result<'message.list'>;
export type Opened = Result<'message.get'>;

/** What is measured, done by the typed client for one user. */
export class BrokerWay {
  readonly session: string;
  readonly #client: Client;
  readonly #mail: SessionClient;
  #uidValidity = 0;

  private constructor(client: Client, session: string) {
    this.#client = client;
    this.session = session;
    this.#mail = client.withSession(session);
  }

  /** Opens a session, which leaves one connection in the pool. */
  static async open(client: Client, server: string, user: string, password: string): Promise<BrokerWay> {
    const { session } = await client.session.open({ server, user, auth: { password } });
    return new BrokerWay(client, session);
  }

  /** A page of the newest 50 messages. */
  async index(age: Age = VALIDATED, mailbox = 'INBOX', signal?: AbortSignal): Promise<Page> {
    const params = { mailbox, limit: PAGE, ...age };
    const page = await this.#mail.message.list(params, signal === undefined ? {} : { signal });
    need(page.messages.length === PAGE, 'index page');
    this.#uidValidity = page.uidValidity;
    return page;
  }

  /** Page after page of a folder, to its end. */
  async walk(mailbox: string): Promise<void> {
    let cursor: string | null | undefined;
    do {
      const page = await this.#mail.message.list({ mailbox, limit: PAGE, ...(cursor && { cursor }) });
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  /** A message with its texts; after {@link index}. */
  async open(uid: number, age: Age = VALIDATED): Promise<Opened> {
    const opened = await this.#mail.message.get({ ...this.#inbox, uids: [uid], ...age });
    const [message] = opened.messages;
    need(message?.textBody?.length === 1 && message.htmlBody?.length === 1 && opened.notFound.length === 0, 'message');
    return opened;
  }

  async flag(uid: number, on: boolean): Promise<void> {
    const action = on ? 'add' : 'remove';
    const { messages } = await this.#mail.message.flag({ ...this.#inbox, uids: [uid], action, flags: ['\\Flagged'] });
    need(messages[0]?.flags.includes('\\Flagged') === on, 'flag');
  }

  async counts(): Promise<void> {
    const { statuses } = await this.#mail.mailbox.status({ mailboxes: COUNTED });
    need(statuses.length === COUNTED.length && statuses.every(({ counts }) => counts !== null), 'counts');
  }

  async search(): Promise<void> {
    await this.list('INBOX', { filter: { from: SEARCHED } });
  }

  /** The page of {@link index}, which the caller has kept: the answer is that nothing has changed. */
  async unchanged(ifState: string): Promise<unknown> {
    const answer = await this.#mail.message.list({ mailbox: 'INBOX', limit: PAGE, ifState });
    need('unchanged' in answer, 'unchanged page');
    return answer;
  }

  /** A page of 50, with a filter, an order or other fields. */
  async list(
    mailbox: string,
    params: Omit<ParamsIn<'message.list'>, 'session' | 'mailbox' | 'ifState'>,
  ): Promise<Page> {
    const page = await this.#mail.message.list({ mailbox, limit: PAGE, ...params });
    need(page.messages.length === (params.limit ?? PAGE), 'page of a list');
    return page;
  }

  /** The newest 50 messages of a sender in these folders. */
  async searchIn(mailboxes: string[], from: string): Promise<void> {
    const { incomplete } = await this.#mail.message.search({ mailboxes, filter: { from }, limit: PAGE });
    need(incomplete.length === 0, 'search over folders');
  }

  /** The conversation of a message over these folders. */
  async conversation(params: Omit<ParamsIn<'message.thread'>, 'session'>): Promise<void> {
    const { messages, incomplete } = await this.#mail.message.thread(params);
    need(messages.length > 1 && incomplete.length === 0, 'conversation');
  }

  async attachment(): Promise<void> {
    const wanted = { ...this.#inbox, uid: ATTACHMENT_UID, part: ATTACHMENT_PART };
    const { body } = await this.#mail.message.part(wanted);
    let bytes = 0;
    for await (const piece of body) bytes += piece.length;
    need(bytes === ATTACHMENT_BYTES, 'attachment');
  }

  /** Begins a watch of the INBOX. */
  async watch(): Promise<void> {
    await this.#client.watch({ session: this.session, mailboxes: ['INBOX'], onEvent: () => {}, onResync: () => {} });
  }

  /** Ends the session, and with it the account's connections. */
  async close(): Promise<void> {
    await this.#client.session.close({ session: this.session });
  }

  get #inbox(): { mailbox: string; uidValidity: number } {
    return { mailbox: 'INBOX', uidValidity: this.#uidValidity };
  }
}
