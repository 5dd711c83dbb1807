import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sendPart as part } from '../../../src/methods/message/part.js';
import { Dovecot } from '../../support/dovecot.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { base64Lines, deterministicBytes, lines } from '../../support/mail.js';
import { startRelay } from '../../support/relay.js';

const SIZE = 3_000_000;
const bytes = deterministicBytes(SIZE);
const KIB = 1024;

/** A message whose second part is these lines. */
function attached(encoding: string, body: string | Buffer): Buffer {
  return lines(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    'text',
    '--b',
    'Content-Type: application/octet-stream; name=a.bin',
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    body,
    '--b--',
  );
}

function quotedPrintable(content: Buffer): string {
  return [...content]
    .map((byte, at) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}${at % 24 === 23 ? '=\r\n' : ''}`)
    .join('');
}

const withBinary = 'IMAP4rev1 SASL-IR LITERAL+ UIDPLUS ENABLE BINARY';
const withoutBinary = 'IMAP4rev1 SASL-IR LITERAL+ UIDPLUS ENABLE';

describe.each([
  ['that decodes parts itself', withBinary],
  ['that does not', withoutBinary],
])('ranges of a part of a server %s', (_name, imapCapability) => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start({ imapCapability });
  });
  afterAll(() => dovecot.stop());

  async function serving(mail: Buffer, port?: number) {
    const user = dovecot.user();
    const [uid = 0] = await dovecot.deliver(user, 'INBOX', [mail]);
    const account = await directAccount(dovecot.server(port === undefined ? {} : { port }), {
      user,
      password: dovecot.password,
    });
    const { uidValidity } = await account.connection.select('INBOX');
    const ask = (offset: number, length?: number) =>
      part(handlerContext('message.part', account), {
        session: 'x',
        mailbox: 'INBOX',
        uidValidity,
        uid,
        part: '2',
        transfer: 'inline',
        offset,
        ...(length === undefined ? {} : { length }),
      });
    const range = async (offset: number, length?: number) =>
      Buffer.from((await ask(offset, length)).data ?? '', 'base64');
    const received = () => account.connection.bytes.received;
    return { account, ask, range, received };
  }

  it('cost what they send where an attachment of 25 MB is read in slices of 1 MiB', async () => {
    const large = deterministicBytes(25_000_000);
    const relay = await startRelay(dovecot.tlsPort);
    onTestFinished(() => relay.close());
    const { account, range } = await serving(attached('base64', base64Lines(large)), relay.port);
    const before = relay.received;
    for (let offset = 0; offset < large.length; offset += 1024 * KIB) {
      const slice = await range(offset, 1024 * KIB);
      expect(slice.equals(large.subarray(offset, offset + 1024 * KIB))).toBe(true);
    }
    // Decoded from the beginning each time it would be seventeen times as much.
    expect((relay.received - before) / large.length).toBeLessThan(imapCapability === withBinary ? 1.05 : 1.45);
    await account.close();
  }, 60_000);

  it('cost little, wherever they are, and say how long the part is', async () => {
    const { account, ask, range, received } = await serving(attached('base64', base64Lines(bytes)));
    for (const [offset, length] of [
      [SIZE - 1, 10],
      [2_000_001, 1],
      [1_999_999, 100],
      [57 * 1000, 57],
      [57 * 1000 - 1, 2],
      [SIZE, 5],
      [SIZE + 100, 5],
      [0, 3],
    ] as const) {
      const before = received();
      expect((await range(offset, length)).equals(bytes.subarray(offset, offset + length))).toBe(true);
      expect(received() - before).toBeLessThan(8 * KIB);
    }
    expect((await ask(SIZE - 1000)).decodedSize).toBe(imapCapability === withBinary ? SIZE : null);
    await account.close();
  });

  it.each<[string, string, (content: Buffer) => string]>([
    ['base64 in one line', 'base64', (content) => content.toString('base64')],
    ['base64 in lines of 60', 'base64', (content) => (content.toString('base64').match(/.{1,60}/g) ?? []).join('\r\n')],
    [
      'base64 whose lines change their length',
      'base64',
      (content) =>
        `${base64Lines(content.subarray(0, 30_000))}\r\n${(
          content
            .subarray(30_000)
            .toString('base64')
            .match(/.{1,72}/g) ?? []
        ).join('\r\n')}`,
    ],
    ['base64 with blanks in it', 'base64', (content) => base64Lines(content).replaceAll('AB', 'A B')],
    ['base64 with blank lines behind it', 'base64', (content) => `${base64Lines(content)}\r\n\r\n\r\n`],
    ['quoted-printable', 'quoted-printable', quotedPrintable],
    ['bytes as they are', '8bit', (content) => content.toString('latin1').replace(/[\r\n\0]/g, 'x')],
  ])('are those of the whole: %s', async (_form, encoding, encode) => {
    const content = bytes.subarray(0, 90_000);
    const { account, ask, range } = await serving(attached(encoding, Buffer.from(encode(content), 'latin1')));
    const whole = Buffer.from((await ask(0)).data ?? '', 'base64');
    expect(whole.length).toBeGreaterThanOrEqual(content.length);
    for (const [offset, length] of [
      [0, 10],
      [1, 50_000],
      [29_990, 100],
      [70_001, 1000],
      [89_995, 100],
      [whole.length, 1],
    ] as const) {
      expect((await range(offset, length)).equals(whole.subarray(offset, offset + length))).toBe(true);
    }
    await account.close();
  });

  it('tell the exact size of a small part', async () => {
    const { account, ask } = await serving(attached('base64', base64Lines('Grüße')));
    for (const asked of [ask(0), ask(2, 3), ask(0, 1)]) {
      expect(await asked).toMatchObject({ encodedSize: 12, decodedSize: 7 });
    }
    await account.close();
  });

  it('are of what uuencode stands for', async () => {
    const { account, ask, range } = await serving(attached('x-uuencode', 'begin 644 a.txt\r\n#0V%T\r\n`\r\nend'));
    expect(await ask(0)).toMatchObject({ data: Buffer.from('Cat').toString('base64'), decodedSize: 3 });
    expect((await range(1, 1)).toString()).toBe('a');
    await account.close();
  });
});
