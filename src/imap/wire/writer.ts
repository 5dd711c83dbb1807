import { BrokerError } from '../../protocol/errors.js';
import { wireLimits } from './limits.js';
import type { MailboxEncoding } from './mailbox-encoding.js';
import type { ImapArgument, ImapAttribute, ImapToken } from './tokens.js';

/** Octets of the largest literal that is sent without waiting for the server (RFC 7888); 0: all literals wait. */
export type EagerLiterals = number;

/** The packets of a command; after each packet but the last, the sender waits for a continuation request. */
export type Packets = (string | Buffer)[][];

const unsendable = (what: string) =>
  new BrokerError('INVALID_PARAMS', `${what} cannot be sent to the IMAP server.`, { executed: 'no' });

/**
 * Serialises one command (RFC 9051 section 9). Strings are in latin1.
 * @throws BrokerError INVALID_PARAMS for a value that no command can carry; nothing was sent then
 */
export function writeCommand(
  tag: string,
  name: string,
  args: readonly ImapArgument[],
  names: MailboxEncoding,
  eager: EagerLiterals,
): Packets {
  const writer = new CommandWriter(names, eager);
  writer.text(`${tag} ${name}`);
  for (const argument of args) {
    writer.text(' ');
    writer.argument(argument);
  }
  writer.text('\r\n');
  return writer.done();
}

class CommandWriter {
  readonly #names: MailboxEncoding;
  readonly #eager: number;
  readonly #packets: Packets = [[]];
  #text = '';
  #bytes = 0;

  constructor(names: MailboxEncoding, eager: EagerLiterals) {
    this.#names = names;
    this.#eager = eager;
  }

  text(text: string): void {
    this.#text += text;
    this.#bytes += text.length;
    if (this.#bytes > wireLimits.commandBytes) {
      throw new BrokerError('TOO_LARGE', `The IMAP command would be over ${wireLimits.commandBytes} bytes.`);
    }
  }

  argument(argument: ImapArgument | ImapAttribute): void {
    if (argument === null) this.text('NIL');
    else if (Array.isArray(argument)) this.#list(argument, '(', ')');
    else if (typeof argument === 'string') this.#string(argument);
    else if (typeof argument === 'number') this.text(String(argument));
    else if ('mailbox' in argument) this.#quoted(this.#names.encode(argument.mailbox), 'The folder name');
    else this.#token(argument);
  }

  done(): Packets {
    this.#flush();
    return this.#packets;
  }

  #list(members: readonly (ImapArgument | ImapAttribute)[], open: string, close: string): void {
    this.text(open);
    members.forEach((member, index) => {
      if (index > 0) this.text(' ');
      this.argument(member);
    });
    this.text(close);
  }

  #token({ type, value, section, partial }: ImapToken): void {
    if (type === 'LITERAL') {
      this.#literal(Buffer.isBuffer(value) ? value : Buffer.from(String(value ?? ''), 'utf8'));
      return;
    }
    const text = String(value ?? '');
    if (type === 'STRING') {
      this.#string(text);
      return;
    }
    const allowed = type === 'SEQUENCE' ? /^[\d:*,$]+$/ : /^[!#-'*-z|}~+]+$/;
    if (!allowed.test(text)) throw unsendable(`"${text.slice(0, 100)}"`);
    this.text(text);
    if (section) this.#list(section, '[', ']');
    if (partial) this.text(`<${partial.join('.')}>`);
  }

  #string(value: string): void {
    // A quoted string must not contain 8-bit characters.
    if (/\P{ASCII}/u.test(value)) this.#literal(Buffer.from(value, 'utf8'));
    else this.#quoted(value, 'A value');
  }

  #quoted(value: string, what: string): void {
    if (/[\r\n\0]/.test(value)) throw unsendable(`${what} has a line end or NUL and`);
    this.text(`"${value.replace(/["\\]/g, '\\$&')}"`);
  }

  #literal(octets: Buffer): void {
    const eager = this.#eager > 0 && octets.length <= this.#eager;
    this.text(`{${octets.length}${eager ? '+' : ''}}\r\n`);
    this.#flush();
    if (!eager) this.#packets.push([]);
    if (octets.length > 0) this.#packets.at(-1)?.push(octets);
  }

  #flush(): void {
    if (this.#text !== '') this.#packets.at(-1)?.push(this.#text);
    this.#text = '';
  }
}
