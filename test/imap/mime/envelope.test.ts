import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toEnvelope } from '../../../src/imap/mime/envelope.js';
import type { ImapAttribute } from '../../../src/imap/wire/tokens.js';
import { envelope } from '../../../src/protocol/models.js';

const value = (text: string | Buffer | null): ImapAttribute =>
  text === null ? null : { type: Buffer.isBuffer(text) ? 'LITERAL' : 'STRING', value: text };

/** The addresses that a server answers, each as name, mailbox and host. */
function addresses(...list: Array<[string | Buffer | null, string | Buffer | null, string | null]>) {
  const to = list.map(([name, mailbox, host]) => [value(name), null, value(mailbox), value(host)]);
  return toEnvelope([null, null, to]).from;
}

describe('an address', () => {
  it.each([
    ['a bank in the domain', 'ceo', '=?utf-8?Q?bank.example?=', 'ceo@=?utf-8?Q?bank.example?='],
    ['a bank in the mailbox', '=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=', 'evil.example', null],
    ['an encoded NUL', 'a=?utf-8?Q?=00?=', 'evil.example', 'a=?utf-8?Q?=00?=@evil.example'],
    ['an encoded line end', '=?utf-8?Q?a=0D=0AX:?=', 'b', null],
  ])('keeps encoded words as they are: %s', (_name, mailbox, host, address) => {
    expect(addresses([null, mailbox, host])).toEqual([{ name: '', address: address ?? `${quoted(mailbox)}@${host}` }]);
  });

  const quoted = (local: string) => (/[:,;]/.test(local) ? `"${local}"` : local);

  it('has no controls, raw ones neither', () => {
    expect(addresses(['A\u0000\u001b[31mB', Buffer.from('a\u0000b'), 'x.example'])).toEqual([
      { name: 'A [31mB', address: '"a b"@x.example' },
    ]);
    expect(addresses(['=?utf-8?Q?Boss=00=0A=7F?=', 'a', 'x.example'])).toEqual([
      { name: 'Boss', address: 'a@x.example' },
    ]);
  });

  it('is quoted where it would read as another one without', () => {
    expect(addresses([null, 'ceo@bank.example', 'evil.example'], [null, 'a "b"\\', 'x'], [null, 'a..b.', 'x'])).toEqual(
      [
        { name: '', address: '"ceo@bank.example"@evil.example' },
        { name: '', address: '"a \\"b\\"\\\\"@x' },
        { name: '', address: 'a..b.@x' },
      ],
    );
  });

  it('is international where it is written so', () => {
    expect(addresses([null, Buffer.from('jörg'), 'müller.example'])).toEqual([
      { name: '', address: 'jörg@müller.example' },
    ]);
  });

  it('of a user of the same machine is the user alone', () => {
    expect(addresses(['Cron Daemon', 'root', 'MISSING_DOMAIN'], [null, 'root', 'MISSING_DOMAIN'])).toEqual([
      { name: 'Cron Daemon', address: 'root' },
      { name: '', address: 'root' },
    ]);
  });

  it.each([
    ['SYNTAX_ERROR', [null, 'Undisclosed-Recipient', 'SYNTAX_ERROR'], { name: 'Undisclosed-Recipient', address: '' }],
    ['SYNTAX_ERROR and a name', ['Bad', 'a', 'SYNTAX_ERROR'], { name: 'Bad', address: '' }],
    ['MISSING_MAILBOX', ['A B', 'MISSING_MAILBOX', 'MISSING_DOMAIN'], { name: 'A B', address: '' }],
    ['a domain alone', ['A', 'MISSING_MAILBOX', 'x.example'], { name: 'A', address: '' }],
    ['UW', ['A', 'a', '.SYNTAX-ERROR.'], { name: 'A', address: '' }],
    ['Cyrus', ['A', 'a', 'unspecified-domain'], { name: 'A', address: 'a' }],
    ['nothing', [null, 'MISSING_MAILBOX', 'MISSING_DOMAIN'], undefined],
  ] as const)('has none of the words that servers put in place of what is missing: %s', (_name, entry, shown) => {
    expect(addresses([...entry])).toEqual(shown ? [shown] : []);
  });

  it('of a group follows the name of the group', () => {
    const group = addresses(
      [null, '=?utf-8?Q?B=C3=BCro?=', null],
      ['B', 'b', 'x.example'],
      [null, null, null],
      ['C', 'c', 'y.example'],
    );
    expect(group).toEqual([
      { name: 'Büro', address: '' },
      { name: 'B', address: 'b@x.example' },
      { name: 'C', address: 'c@y.example' },
    ]);
    expect(addresses([null, 'undisclosed-recipients', null], [null, null, null])).toEqual([
      { name: 'undisclosed-recipients', address: '' },
    ]);
  });
});

describe('a message id', () => {
  it('is no encoded word', () => {
    const id = '<=?utf-8?Q?a?=@x>';
    expect(toEnvelope([null, null, null, null, null, null, null, null, value(id), value(id)])).toMatchObject({
      messageId: id,
      inReplyTo: id,
    });
  });
});

describe('whatever a server answers', () => {
  const { node } = fc.letrec<{ node: ImapAttribute }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc
        .oneof(fc.string(), fc.constantFrom('=?utf-8?B?', '=?iso-2022-jp?Q?=1B$B?=', 'MISSING_DOMAIN', '\u0000'))
        .map(value),
      fc.uint8Array().map((bytes) => value(Buffer.from(bytes))),
      fc.array(tie('node'), { maxLength: 10 }),
    ),
  }));

  it('is an envelope of the protocol, without controls in names and addresses', () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 10 }), fc.constantFrom(null, 'gbk', 'iso-2022-jp'), (list, charset) => {
        const found = envelope.parse(JSON.parse(JSON.stringify(toEnvelope(list, charset))));
        const { from, sender, replyTo, to, cc, bcc } = found;
        for (const one of [from, sender, replyTo, to, cc, bcc].flat()) {
          expect(`${one.name}${one.address}`).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
