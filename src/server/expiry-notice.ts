import type { SessionExpiring } from '../protocol/events.js';
import type { Session } from '../session/session.js';

/** Milliseconds before the end of a token within which the end is told. */
const SOON_MS = 300_000;
/** Ends that are remembered as told, for each socket. */
const MOST_TOLD = 1_000;

/** Tells a socket, once each, of sessions and access tokens that it uses and that end soon. */
export class ExpiryNotice {
  readonly #tell: (params: SessionExpiring) => void;
  readonly #notified = new Set<string>();

  constructor(tell: (params: SessionExpiring) => void) {
    this.#tell = tell;
  }

  check(session: Session): void {
    const { secret, expiresAt } = session;
    this.#checkOne(session, 'session', expiresAt);
    if ('accessToken' in secret && secret.expiresAt !== undefined) {
      this.#checkOne(session, 'accessToken', secret.expiresAt);
    }
  }

  #checkOne({ id, server, user }: Session, what: SessionExpiring['what'], expiresAt: number): void {
    if (expiresAt - Date.now() > SOON_MS) return;
    const key = `${id} ${what} ${expiresAt}`;
    if (this.#notified.has(key)) return;
    if (this.#notified.size >= MOST_TOLD) this.#notified.clear();
    this.#notified.add(key);
    this.#tell({ server, user, what, expiresAt: new Date(expiresAt).toISOString() });
  }
}
