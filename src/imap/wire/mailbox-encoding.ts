import iconv from 'iconv-lite';

const plain = /^[\x20-\x25\x27-\x7e]*$/;

/** Folder names on the wire: UTF-8 if the server has only IMAP4rev2, else modified UTF-7 (RFC 3501 section 5.1.3). */
export class MailboxEncoding {
  readonly #utf8: boolean;

  constructor(utf8: boolean) {
    this.#utf8 = utf8;
  }

  encode(name: string): string {
    if (plain.test(name)) return name;
    return this.#utf8
      ? Buffer.from(name, 'utf8').toString('latin1')
      : iconv.encode(name, 'utf-7-imap').toString('latin1');
  }

  /** Decodes a name; a name that cannot be decoded stays as it is, so that clients can show and request it. */
  decode(name: string): string {
    if (this.#utf8 || plain.test(name)) return name;
    const decoded = iconv.decode(Buffer.from(name, 'utf8'), 'utf-7-imap');
    return this.encode(decoded) === name ? decoded : name;
  }
}
