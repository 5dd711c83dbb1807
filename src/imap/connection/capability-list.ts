import { type ImapAttribute, textOf, toNumber } from '../wire/tokens.js';

/** Literals that LITERAL- lets out without waiting (RFC 7888 section 5). */
const LITERAL_MINUS_BYTES = 4096;
/** What the broker uses and what has to be switched on (RFC 5161). */
const wanted = ['CONDSTORE', 'QRESYNC'];

/** What a server offers, and what of it is switched on. */
export class CapabilityList {
  readonly enabled = new Set<string>();
  #offered: ReadonlyMap<string, boolean | number>;

  constructor(offered: ReadonlyMap<string, boolean | number>) {
    this.#offered = offered;
  }

  /** In upper case but for `IMAP4rev1` and `IMAP4rev2`; `APPENDLIMIT` has its number. */
  get offered(): ReadonlyMap<string, boolean | number> {
    return this.#offered;
  }

  /** Whether it speaks IMAP4rev2 without having been asked to, because it knows nothing else. */
  get isRev2Only(): boolean {
    return this.#offered.has('IMAP4rev2') && !this.#offered.has('IMAP4rev1');
  }

  /** Octets of a literal that goes out without waiting for the server. */
  get eagerLiterals(): number {
    if (this.#offered.has('LITERAL+')) return Number.POSITIVE_INFINITY;
    return this.#offered.has('LITERAL-') || this.isRev2Only ? LITERAL_MINUS_BYTES : 0;
  }

  /**
   * What to switch on. Never UTF8=ACCEPT: Courier locks other clients out of folders whose names were made with it, and
   * others mix names up. Nor IMAP4rev2, whose rules for names are the same.
   */
  get toEnable(): string[] {
    if (!this.#offered.has('ENABLE') && !this.#offered.has('IMAP4rev2')) return [];
    return wanted.filter((extension) => this.#offered.has(extension));
  }

  noteEnabled(attributes: readonly ImapAttribute[]): void {
    for (const attribute of attributes) this.enabled.add(textOf(attribute).toUpperCase());
    // RFC 7162 section 3.2.3, whether or not the server says so.
    if (this.enabled.has('QRESYNC')) this.enabled.add('CONDSTORE');
  }

  /** The server tells anew what it offers. */
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
