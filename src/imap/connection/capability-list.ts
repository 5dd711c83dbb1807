import { type ImapAttribute, textOf, toNumber } from '../wire/tokens.js';

/** Largest literal that LITERAL- allows without waiting for the server (RFC 7888 section 5). */
const LITERAL_MINUS_BYTES = 4096;
/** Extensions that the broker uses and that must be enabled (RFC 5161). */
const wanted = ['CONDSTORE', 'QRESYNC'];

/**
 * Whether a server offers mod-sequences (RFC 7162). Others may tell them all the same: Dovecot does so of each folder of
 * which it has counted them for some session, whatever its `imap_capability` hides.
 * @param offered capabilities, or a connection
 */
export function offersModseqs(offered: { has(capability: string): boolean }): boolean {
  return offered.has('CONDSTORE') || offered.has('QRESYNC');
}

/** The capabilities that a server offers, and the extensions that are enabled. */
export class CapabilityList {
  readonly enabled = new Set<string>();
  #offered: ReadonlyMap<string, boolean | number>;

  constructor(offered: ReadonlyMap<string, boolean | number>) {
    this.#offered = offered;
  }

  /** Offered capabilities, in upper case except `IMAP4rev1` and `IMAP4rev2`; `APPENDLIMIT` has its number. */
  get offered(): ReadonlyMap<string, boolean | number> {
    return this.#offered;
  }

  /** Whether the server speaks IMAP4rev2 without ENABLE, because it has no other version. */
  get isRev2Only(): boolean {
    return this.#offered.has('IMAP4rev2') && !this.#offered.has('IMAP4rev1');
  }

  /** Octets of the largest literal that is sent without waiting for the server. */
  get eagerLiterals(): number {
    if (this.#offered.has('LITERAL+')) return Number.POSITIVE_INFINITY;
    return this.#offered.has('LITERAL-') || this.isRev2Only ? LITERAL_MINUS_BYTES : 0;
  }

  /**
   * What to enable. Never UTF8=ACCEPT: Courier locks other clients out of folders whose names were created with it, and
   * other servers mix names up. Nor IMAP4rev2, which has the same rules for names.
   */
  get toEnable(): string[] {
    if (!this.#offered.has('ENABLE') && !this.#offered.has('IMAP4rev2')) return [];
    return wanted.filter((extension) => this.#offered.has(extension));
  }

  noteEnabled(attributes: readonly ImapAttribute[]): void {
    for (const attribute of attributes) this.enabled.add(textOf(attribute).toUpperCase());
    // RFC 7162 section 3.2.3, even if the server does not list it.
    if (this.enabled.has('QRESYNC')) this.enabled.add('CONDSTORE');
  }

  /** The server has sent its capabilities anew. */
  replace(attributes: readonly ImapAttribute[]): void {
    if (attributes.length === 0) return;
    const offered = new Map<string, boolean | number>();
    for (const attribute of attributes) {
      const name = textOf(attribute).toUpperCase();
      const limit = /^APPENDLIMIT=(\d+)$/.exec(name)?.[1];
      if (limit !== undefined) offered.set('APPENDLIMIT', toNumber(limit) ?? true);
      else if (name !== '') offered.set(name.replace(/^IMAP4REV/, 'IMAP4rev'), true);
    }
    this.#offered = offered;
  }
}
