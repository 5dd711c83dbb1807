import type { ImapConnection } from '../../imap/connection/connection.js';
import { keepsSeen, storeSeen } from '../../imap/messages/mark-seen.js';
import type { SessionContext } from '../context.js';

const SEEN = '\\Seen';

/** The messages of one request that get \Seen as they are opened; none where the request does not want that. */
export class SeenMarks {
  readonly #context: Pick<SessionContext, 'services' | 'account'>;
  readonly #mailbox: string;
  readonly #wanted: boolean;
  /** Flags as JSON, as the server answered them, of marked messages; undefined where it answered none. */
  readonly #marked = new Map<number, string | undefined>();
  /** Messages that cannot be marked: the folder keeps no \Seen. */
  readonly #refused = new Set<number>();

  constructor(context: Pick<SessionContext, 'services' | 'account'>, mailbox: string, wanted: boolean) {
    this.#context = context;
    this.#mailbox = mailbox;
    this.#wanted = wanted;
  }

  /** Whether a message with these flags, as JSON, is still to be marked; unknown flags say nothing of that. */
  lacks(uid: number, flags: string | undefined): boolean {
    return this.#wanted && !this.#marked.has(uid) && !this.#refused.has(uid) && !isSeen(flags);
  }

  /** Flags as JSON, as they are after the message was marked. */
  shown(uid: number, flags: string): string {
    if (!this.#marked.has(uid) || isSeen(flags)) return flags;
    const answered = this.#marked.get(uid);
    return isSeen(answered) ? (answered ?? flags) : JSON.stringify([...(JSON.parse(flags) as string[]), SEEN]);
  }

  /**
   * Marks messages, unless the folder keeps no \Seen. The command is sent at once, so that it can go with others.
   * @throws BrokerError CONNECTION_LOST, and what else is no refusal
   */
  async mark(connection: ImapConnection, uids: readonly number[]): Promise<void> {
    if (uids.length === 0) return;
    if (!keepsSeen(connection)) {
      for (const uid of uids) this.#refused.add(uid);
      return;
    }
    const { services, account } = this.#context;
    let heardBy: ImapConnection | undefined;
    try {
      const answered = await storeSeen(connection, uids);
      heardBy = connection;
      for (const uid of uids) {
        const flags = answered?.get(uid);
        if (answered) this.#marked.set(uid, flags && JSON.stringify(flags));
        else this.#refused.add(uid);
      }
    } finally {
      services.views.wrote(account.key, this.#mailbox, heardBy);
    }
  }
}

function isSeen(flags: string | undefined): boolean {
  return flags !== undefined && /"\\\\seen"/i.test(flags);
}
