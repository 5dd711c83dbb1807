import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asUtf8 } from '../../../src/imap/mime/transfer/text-stream.js';
import { Dovecot } from '../../support/dovecot.js';
import { base64Lines, lines } from '../../support/mail.js';
import { reading } from './nested.js';

const japanese = '日本語の長い文章です。\r\nabc カタカナ\r\n';
const chinese = '中文文本，很长。𠀀\r\nabc\r\n';
const western = 'Größe – “quoted” €\r\nabc\r\n';

/** ISO-2022-JP by way of EUC-JP, which iconv-lite writes. */
function iso2022jp(text: string): Buffer {
  const octets = [...text.matchAll(/([^ -~\r\n]+)|[ -~\r\n]+/g)].map(([run, double]) => {
    const bytes = iconv.encode(run, 'euc-jp');
    return double === undefined ? bytes : Buffer.concat([shiftIn, bytes.map((byte) => byte & 0x7f), shiftOut]);
  });
  return Buffer.concat(octets);
}
const shiftIn = Buffer.from('\x1b$B');
const shiftOut = Buffer.from('\x1b(B');

const samples: Array<[charset: string, text: string, bytes: (text: string) => Buffer]> = [
  ['iso-2022-jp', japanese, iso2022jp],
  ['windows-1252', western, (text) => iconv.encode(text, 'windows-1252')],
  ['utf-16', chinese, (text) => iconv.encode(text, 'utf-16')],
  ['utf-16le', chinese, (text) => iconv.encode(text, 'utf-16le')],
  ['utf-32', chinese, (text) => iconv.encode(text, 'utf-32')],
  ['gb18030', chinese, (text) => iconv.encode(text, 'gb18030')],
  ['shift_jis', japanese, (text) => iconv.encode(text, 'shift_jis')],
  ['utf-8', chinese + western, (text) => Buffer.from(text)],
];

function mailOf(label: string, bytes: Buffer): Buffer {
  return lines(
    'Content-Type: multipart/mixed; boundary=o',
    '',
    '--o',
    `Content-Type: text/plain; charset=${label}`,
    'Content-Transfer-Encoding: base64',
    '',
    base64Lines(bytes),
    '--o--',
  );
}

describe('a part as text', () => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start();
  });
  afterAll(() => dovecot.stop());

  describe.each(samples)('in %s', (charset, sample, encode) => {
    it.each([1, 9_000])(
      'is what was written, repeated %i times, by its label or in place of a wrong one',
      async (times) => {
        const text = sample.repeat(times);
        const shown = text.replaceAll('\r\n', '\n');
        const bytes = encode(text);
        for (const [label, override] of [
          [charset, undefined],
          ['koi8-r', charset],
          ['no-such-charset', charset],
        ] as const) {
          const { account, part } = await reading(dovecot, mailOf(label, bytes));
          const answer = await part({ part: '1', as: 'text', charset: override }, 'stream');
          expect(answer.bytes.toString() === shown).toBe(true);
          expect(answer).toMatchObject({ type: 'text/plain', parameters: { charset: label } });
          expect(answer.decodedSize).toBe(times === 1 ? Buffer.byteLength(shown) : null);
          await account.close();
        }
      },
    );

    it('is the same in whatever pieces it comes', async () => {
      const text = sample.repeat(9000);
      const bytes = encode(text);
      for (const size of [7919, 65_537, bytes.length]) {
        const decoded: Buffer[] = [];
        for await (const piece of asUtf8(pieces(bytes, size), charset)) decoded.push(piece);
        expect(Buffer.concat(decoded).toString() === text.replaceAll('\r\n', '\n')).toBe(true);
      }
    });
  });

  it('has characters whole where no line ends for a megabyte and more', async () => {
    for (const unit of ['äöü€𠀀', 'ä ', 'x\r']) {
      const text = unit.repeat(Math.ceil(2_500_000 / Buffer.byteLength(unit)));
      const decoded: Buffer[] = [];
      for await (const piece of asUtf8(pieces(Buffer.from(text), 100_003), 'utf-8')) decoded.push(piece);
      expect(Buffer.concat(decoded).toString() === text).toBe(true);
    }
  });

  it('is refused with what contradicts it, naming both', async () => {
    const { account, part } = await reading(dovecot, mailOf('utf-8', Buffer.from('text')));
    const refused = async (params: Parameters<typeof part>[0], field: string, ...names: string[]) => {
      const failure = await part(params).catch((error: unknown) => error);
      expect(failure).toMatchObject({ kind: 'INVALID_PARAMS', field });
      for (const name of names) expect((failure as Error).message).toContain(name);
    };
    await refused({ part: '1', as: 'text', encoded: true }, 'encoded', 'as');
    await refused({ part: '1', as: 'text', offset: 1 }, 'offset', 'as');
    await refused({ part: '1', as: 'text', length: 1 }, 'length', 'as');
    await refused({ part: '1', charset: 'utf-8' }, 'charset', 'as');
    await refused({ part: '1.MIME', as: 'text' }, 'part', 'as');
    await refused({ part: '1', as: 'text', charset: 'no-such-charset' }, 'charset');
    await refused({ part: '1', as: 'text', charset: 'base64' }, 'charset');
    await account.close();
  });

  it('is no multipart, and may be empty', async () => {
    const mail = lines(
      'Content-Type: multipart/mixed; boundary=o',
      '',
      '--o',
      'Content-Type: multipart/mixed; boundary=p',
      '',
      '--p',
      'Content-Type: text/plain; charset=utf-8',
      '',
      '',
      '--p--',
      '--o--',
    );
    const { account, part } = await reading(dovecot, mail);
    await expect(part({ part: '1', as: 'text' })).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'part' });
    expect(await part({ part: '1.1', as: 'text' })).toMatchObject({ decodedSize: 0, encodedSize: 0, data: '' });
    await account.close();
  });
});

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
