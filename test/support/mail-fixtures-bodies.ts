import iconv from 'iconv-lite';
import { lines } from './mail.js';
import { fixtures, withBody } from './mail-fixture.js';

const ESC = '\x1b';

export const bodyFixtures = fixtures({
  /** windows-1251 as 8bit. */
  windows1251: {
    raw: () =>
      withBody('text/plain; charset=windows-1251', '8bit', iconv.encode('Съешь ещё этих булок', 'windows-1251')),
    expected: { text: 'Съешь ещё этих булок' },
  },

  /** ISO-2022-JP in 7bit, with its escapes. */
  iso2022jp: {
    raw: () =>
      withBody('text/plain; charset="ISO-2022-JP"', '7bit', `${ESC}$B$3$s$K$A$O${ESC}(B, ${ESC}$BF|K\\8l${ESC}(B!`),
    expected: { text: 'こんにちは, 日本語!' },
  },

  /** GB18030 in base64, with a letter of four octets. */
  gb18030: {
    raw: () =>
      withBody(
        'text/plain; charset=gb18030',
        'base64',
        // 中文 D6D0 CEC4, € A2E3, ù A8B4, 㐀 8139EE39
        Buffer.from('d6d0cec4a2e3a8b48139ee39', 'hex').toString('base64'),
      ),
    expected: { text: '中文€ù㐀' },
  },

  /** UTF-7 (RFC 2152), whose `+` begins a shift and whose `+-` is a plus. */
  utf7: {
    raw: () => withBody('text/plain; charset=utf-7', '7bit', 'Hi Mom -+Jjo--! 1 +- 1 is 2, +ZeVnLIqe-.'),
    expected: { text: 'Hi Mom -☺-! 1 + 1 is 2, 日本語.' },
  },

  /** Labelled US-ASCII, is UTF-8: shown as UTF-8. */
  asciiIsUtf8: {
    raw: () => withBody('text/plain; charset=us-ascii', '8bit', 'Grüße'),
    expected: { text: 'Grüße', lossy: true },
  },

  /** Labelled UTF-8, is windows-1252. */
  utf8IsWindows1252: {
    raw: () => withBody('text/plain; charset=utf-8', '8bit', Buffer.from('Caf\xe9, 5 \x80', 'latin1')),
    expected: { text: 'Café, 5 €', lossy: true },
  },

  /** A charset that does not exist: the ASCII in it must be shown. */
  unknownCharset: {
    raw: () => withBody('text/plain; charset=x-klingon-7', '8bit', 'Plain, and Grüße'),
    expected: { text: 'Plain, and Grüße', lossy: true },
  },

  /** No charset, 8-bit: UTF-8 when it is valid as that. */
  noCharset: {
    raw: () => withBody('text/plain', '8bit', 'Grüße'),
    expected: { text: 'Grüße', lossy: true },
  },

  /** No Content-Type at all: text/plain. */
  noContentType: {
    raw: () => withBody(undefined, undefined, 'Hello'),
    expected: { text: 'Hello' },
  },

  /** A Content-Type that cannot be parsed: shown as text/plain (RFC 2045, 5.2). */
  brokenContentType: {
    raw: () => withBody('text', undefined, 'Hello'),
    expected: { text: 'Hello' },
  },

  /**
   * Quoted-printable gone wrong: `=` before what is no hex number stands for itself (RFC 2045, 6.7), small hex digits count,
   * blanks behind a soft line break do not, and a `=` at the very end is a soft line break.
   */
  badQuotedPrintable: {
    raw: () =>
      withBody('text/plain; charset=utf-8', 'quoted-printable', 'sure=ZZ caf=c3=a9 a=3Db soft=  \r\nbreak 100=% end='),
    expected: { text: 'sure=ZZ café a=b softbreak 100=% end' },
  },

  /** Base64 with characters that are none, odd line lengths, and no padding: they are skipped (RFC 2045, 6.8). */
  badBase64: {
    raw: () => withBody('text/plain; charset=utf-8', 'base64', 'SGVs!!bG8\r\ns*\r\n\r\nIHd vcm~xk\r\nLCBnb29kYnllIQ'),
    expected: { text: 'Hello, world, goodbye!' },
  },

  /** An encoding that does not exist: what is there is shown as it stands. */
  unknownEncoding: {
    raw: () => withBody('text/plain; charset=utf-8', 'x-own', 'As it stands'),
    expected: { text: 'As it stands' },
  },

  /** format=flowed: a blank at the end of a line joins it with the next, a quoted line only with one of its depth. */
  flowed: {
    raw: () =>
      withBody(
        'text/plain; charset=utf-8; format=flowed',
        '7bit',
        lines('> You said ', '> this.', 'I say ', 'that.', ' From here', '-- ', 'Alice').subarray(0, -2),
      ),
    expected: {
      text: '> You said \n> this.\nI say \nthat.\n From here\n-- \nAlice',
      unflowed: '> You said this.\nI say that.\nFrom here\n-- \nAlice',
    },
  },

  /** format=flowed with DelSp=yes: the joining blank vanishes, for scripts without blanks. */
  flowedDelSp: {
    raw: () =>
      withBody(
        'text/plain; charset=utf-8; format=flowed; delsp=yes',
        '8bit',
        lines('これは長い ', '行です。', 'two  ', 'words').subarray(0, -2),
      ),
    expected: { text: 'これは長い \n行です。\ntwo  \nwords', unflowed: 'これは長い行です。\ntwo words' },
  },
});
