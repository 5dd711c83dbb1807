import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialects } from '../../support/dialects.js';
import { Dovecot } from '../../support/dovecot.js';
import { base64Lines, deterministicBytes, lines } from '../../support/mail.js';
import { fileAt, nestedMail, reading } from './nested.js';

const SIGNED = lines(
  'Content-Type: multipart/mixed; boundary=in',
  '',
  '--in',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Signed =E2=82=AC text with a blank =20',
  '--in',
  'Content-Type: application/octet-stream',
  'Content-Transfer-Encoding: base64',
  '',
  base64Lines(deterministicBytes(300_000)),
  '--in--',
);
const MAIL = lines(
  'Subject: signed',
  'Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=out',
  '',
  'This is a signed message.',
  '--out',
  SIGNED,
  '--out',
  'Content-Type: application/pgp-signature; name=signature.asc',
  '',
  '-----BEGIN PGP SIGNATURE-----',
  '',
  '--out--',
);

function between(mail: Buffer, begin: string, end: string): Buffer {
  const from = mail.indexOf(begin);
  return mail.subarray(from, mail.indexOf(end, from) + end.length);
}

describe.each(['full', 'bare'] as const)('sections of a message (%s)', (dialect) => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start(dialects[dialect]);
  });
  afterAll(() => dovecot.stop());

  it.each(['inline', 'stream'] as const)('of a signed part are the octets that were signed (%s)', async (transfer) => {
    const { account, part } = await reading(dovecot, MAIL);
    const mime = await part({ part: '1.MIME' }, transfer);
    const body = await part({ part: '1' }, transfer);
    const signed = Buffer.concat([mime.bytes, body.bytes]);
    expect(signed.equals(SIGNED)).toBe(true);
    expect(mime).toMatchObject({ type: 'text/rfc822-headers', encodedSize: mime.bytes.length });
    expect(body).toMatchObject({ type: 'multipart/mixed', parameters: { boundary: 'in' } });
    const encoded = await part({ part: '1', encoded: true }, transfer);
    expect(encoded.bytes.equals(body.bytes)).toBe(true);
    await account.close();
  });

  it('are the header and the text of the message', async () => {
    const { account, part } = await reading(dovecot, MAIL);
    const header = await part({ part: 'HEADER' });
    const text = await part({ part: 'TEXT' });
    expect(Buffer.concat([header.bytes, text.bytes]).equals(MAIL)).toBe(true);
    expect(header).toMatchObject({
      encodedSize: header.bytes.length,
      decodedSize: header.bytes.length,
      fileName: null,
    });
    expect(text).toMatchObject({ type: 'multipart/signed', parameters: { micalg: 'pgp-sha256' }, decodedSize: null });
    await account.close();
  });

  it('of an attached message are its source, header, text, MIME header and multipart', async () => {
    const mail = nestedMail(3);
    const { account, part } = await reading(dovecot, mail);
    const inner = nestedMail(3, 1);
    const split = inner.indexOf('\r\n\r\n') + 4;
    expect((await part({ part: '3' })).bytes).toEqual(inner);
    expect((await part({ part: '3.HEADER' })).bytes).toEqual(inner.subarray(0, split));
    expect(await part({ part: '3.TEXT' })).toMatchObject({
      bytes: inner.subarray(split),
      type: 'multipart/mixed',
      parameters: { boundary: 'b1' },
      encodedSize: inner.length - split,
    });
    const mime = between(mail, 'Content-Type: message/rfc822\r\nX-Mime: 0', '\r\n\r\n');
    expect((await part({ part: '3.MIME' })).bytes).toEqual(mime);
    expect((await part({ part: '3.2.MIME' })).bytes).toEqual(
      between(inner, 'Content-Type: application/octet-stream; name=f1.bin', '\r\n\r\n'),
    );
    await account.close();
  });

  it('are sent encoded where that is asked for, and in ranges', async () => {
    const { account, part } = await reading(dovecot, nestedMail(2));
    const encoded = Buffer.from(fileAt(1).toString('base64'));
    expect(await part({ part: '3.2', encoded: true })).toMatchObject({
      bytes: encoded,
      encodedSize: encoded.length,
      decodedSize: encoded.length,
      fileName: 'f1.bin',
    });
    for (const [offset, length] of [
      [0, 1],
      [3, 5],
      [5, undefined],
      [encoded.length, 1],
      [encoded.length + 9, 4],
    ] as const) {
      const { bytes, encodedSize } = await part({ part: '3.2', encoded: true, offset, length });
      expect(bytes).toEqual(encoded.subarray(offset, length === undefined ? undefined : offset + length));
      expect(encodedSize).toBe(encoded.length);
      const text = await part({ part: '3.TEXT', offset, length });
      const source = (await part({ part: '3.TEXT' })).bytes;
      expect(text.bytes).toEqual(source.subarray(offset, length === undefined ? undefined : offset + length));
    }
    await account.close();
  });

  it.each([0, 1, 65_536, 1_300_000])('have %i bytes, inline or as a stream', async (size) => {
    const content = deterministicBytes(size)
      .toString('latin1')
      .replace(/[^a-z]/g, 'x');
    const mail = lines(
      'Content-Type: multipart/mixed; boundary=o',
      '',
      '--o',
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      '',
      content,
      '--o',
      'Content-Type: multipart/mixed; boundary=p',
      '',
      content,
      '--p--',
      '',
      '--o--',
    );
    const { account, part } = await reading(dovecot, mail);
    for (const transfer of size > 1024 * 1024 ? (['stream'] as const) : (['inline', 'stream'] as const)) {
      const { bytes, encodedSize } = await part({ part: '1', encoded: true }, transfer);
      expect(bytes.toString() === content).toBe(true);
      expect(encodedSize).toBe(size);
      const multipart = await part({ part: '2' }, transfer);
      expect(multipart.bytes.toString() === `${content}\r\n--p--\r\n`).toBe(true);
      expect(multipart.encodedSize).toBe(size < 200_000 ? size + 9 : null);
    }
    await account.close();
  });

  it('are refused by name where there are none', async () => {
    const { account, part } = await reading(dovecot, nestedMail(2));
    await expect(part({ part: '9.MIME' })).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'part' });
    await expect(part({ part: '9.TEXT' })).rejects.toMatchObject({ kind: 'NOT_FOUND', field: 'part' });
    await expect(part({ part: '1.HEADER' })).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'part' });
    await expect(part({ part: '2.TEXT', encoded: true })).rejects.toMatchObject({
      kind: 'INVALID_PARAMS',
      field: 'part',
    });
    await account.close();
  });

  it('are those of the message where it has but one part', async () => {
    const mail = lines('Subject: s', 'Content-Type: text/plain', '', 'text');
    const { account, part } = await reading(dovecot, mail);
    expect((await part({ part: 'TEXT' })).bytes.toString()).toBe('text\r\n');
    expect((await part({ part: '1.MIME' })).bytes.toString()).toContain('Content-Type: text/plain\r\n');
    await account.close();
  });
});
