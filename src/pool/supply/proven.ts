import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Credentials } from '../../imap/login/server-options.js';

/** Milliseconds for which a login proves its credentials when no connection that was opened with them is left. */
const PROOF_MS = 300_000;
/** Most credentials that are remembered for one account. */
const MOST = 8;

interface Proof {
  credentials: Credentials;
  /** The number of this proof, unique within its account. */
  id: number;
  /** `performance.now()` of the last login; minus infinity before the first. */
  at: number;
  /** The account was proven with a password that is new to the broker since: this older password may be out of date. */
  doubted: boolean;
}

/**
 * The credentials that an account was opened with, each with its own proof. A proof of one is no proof of another,
 * although all share the connections.
 */
export class Proven {
  /** The most recent proof comes first. */
  #proofs: Proof[] = [];
  readonly #openedWith = new WeakMap<ImapConnection, Proof>();
  readonly #onDoubted: (credentials: Credentials) => void;
  #made = 0;

  /** @param onDoubted called when credentials must be proven anew, even if they were proven a short while ago */
  constructor(onDoubted: (credentials: Credentials) => void) {
    this.#onDoubted = onDoubted;
  }

  /** The credentials that new connections are made with; undefined when there are none. */
  get current(): Credentials | undefined {
    return (this.#proofs.find(({ doubted }) => !doubted) ?? this.#proofs[0])?.credentials;
  }

  /** A number that is the same for equal credentials; undefined for credentials that are not known. */
  idOf(credentials: Credentials | undefined): number | undefined {
    return credentials && this.#find(credentials)?.id;
  }

  /**
   * Whether these credentials are proven: by a connection of the account that was opened with them, or by a login a
   * short while ago. Where the account has no connections and no other proofs, their first use proves them.
   */
  admits(credentials: Credentials, connections: ReadonlySet<ImapConnection>): boolean {
    const proof = this.#find(credentials);
    if (!proof || proof.doubted) return false;
    if (performance.now() - proof.at < PROOF_MS) return true;
    let others = this.#proofs.length > 1;
    for (const connection of connections) {
      if (this.#openedWith.get(connection) === proof) return true;
      others = true;
    }
    return !others;
  }

  /** Takes credentials without a login. @param lately whether a login proved them a short while ago */
  trust(credentials: Credentials, lately: boolean): void {
    const known = this.#find(credentials);
    if (known && !lately) return;
    const proof = known ?? this.#begin(credentials);
    if (lately) this.#prove(proof);
    else this.#proofs.push(proof);
  }

  /** A login with credentials that were to be proven succeeded. */
  proved(credentials: Credentials): void {
    const known = this.#find(credentials);
    if (!known && 'password' in credentials) this.#doubtPasswords();
    this.#prove(Object.assign(known ?? this.#begin(credentials), { credentials }));
  }

  /** A connection was opened with credentials. */
  opened(connection: ImapConnection, credentials: Credentials): void {
    const proof = this.#find(credentials);
    if (!proof) return;
    this.#openedWith.set(connection, proof);
    proof.at = performance.now();
    proof.doubted = false;
  }

  /** A connection was lost: the server may have ended it because its credentials are void. */
  lost(connection: ImapConnection): void {
    const proof = this.#openedWith.get(connection);
    if (!proof || this.#proofs.length < 2) return;
    proof.at = Number.NEGATIVE_INFINITY;
    this.#onDoubted(proof.credentials);
  }

  /** The server refused credentials. */
  refused(credentials: Credentials): void {
    this.#proofs = this.#proofs.filter((proof) => !isSameCredentials(proof.credentials, credentials));
  }

  #find(credentials: Credentials): Proof | undefined {
    return this.#proofs.find((proof) => isSameCredentials(proof.credentials, credentials));
  }

  #begin(credentials: Credentials): Proof {
    this.#made += 1;
    return { credentials, id: this.#made, at: Number.NEGATIVE_INFINITY, doubted: false };
  }

  #prove(proof: Proof): void {
    proof.at = performance.now();
    proof.doubted = false;
    this.#proofs = [proof, ...this.#proofs.filter((other) => other !== proof)].slice(0, MOST);
  }

  #doubtPasswords(): void {
    for (const proof of this.#proofs) {
      if (!('password' in proof.credentials)) continue;
      proof.doubted = true;
      this.#onDoubted(proof.credentials);
    }
  }
}

/** Whether credentials of one account are the same proof, wherever their user comes from. */
export function isSameCredentials(one: Credentials, other: Credentials): boolean {
  if ('password' in one) return 'password' in other && one.password === other.password;
  return 'accessToken' in other && one.accessToken === other.accessToken;
}
