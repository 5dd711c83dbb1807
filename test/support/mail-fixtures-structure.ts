import { base64Lines, deterministicBytes, lines, message } from './mail.js';
import { fixtures } from './mail-fixture.js';

/** A PNG of one transparent pixel, 70 octets. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

const HEAD = [
  'From: Alice <alice@example.com>',
  'To: bob@example.com',
  'Date: Mon, 06 May 2024 07:08:09 +0000',
  'MIME-Version: 1.0',
];

/** A text in so many multiparts, one within the other. */
export function nested(depth: number): Buffer {
  let inner = lines('Content-Type: text/plain; charset=utf-8', '', 'At the bottom').toString();
  for (let level = depth; level > 0; level -= 1) {
    inner = lines(
      `Content-Type: multipart/mixed; boundary="level-${level}"`,
      '',
      `--level-${level}`,
      `${inner}--level-${level}--`,
    ).toString();
  }
  return Buffer.from(lines(...HEAD, `Subject: ${depth} deep`).toString() + inner);
}

/** A message with one attachment of so many octets, `deterministicBytes(size)`. */
export function bigAttachment(size: number): Buffer {
  return lines(
    ...HEAD,
    'Subject: Big',
    'Content-Type: multipart/mixed; boundary=b1',
    '',
    '--b1',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'It is big.',
    '--b1',
    'Content-Type: application/octet-stream; name=big.bin',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename=big.bin',
    '',
    base64Lines(deterministicBytes(size)),
    '--b1--',
  );
}

export const structureFixtures = fixtures({
  /** Ten multiparts, one in the other: the text at the bottom is the text. */
  tenDeep: {
    raw: () => nested(10),
    expected: { subject: '10 deep', text: 'At the bottom', attachments: [] },
  },

  /** A forwarded message with an attachment of its own: one attachment outside, one inside. */
  forwarded: {
    raw: () =>
      lines(
        ...HEAD,
        'Subject: Fwd: Inner',
        'Content-Type: multipart/mixed; boundary=outer',
        '',
        '--outer',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'See below.',
        '--outer',
        'Content-Type: message/rfc822; name="Inner.eml"',
        'Content-Disposition: attachment; filename="Inner.eml"',
        '',
        'From: Carol <carol@example.com>',
        'Subject: Inner',
        'Date: Sun, 05 May 2024 01:02:03 +0000',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=inner',
        '',
        '--inner',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'Inside.',
        '--inner',
        'Content-Type: text/csv',
        'Content-Disposition: attachment; filename=table.csv',
        '',
        '1,2',
        '--inner--',
        '--outer--',
      ),
    expected: {
      subject: 'Fwd: Inner',
      text: 'See below.',
      attachments: [{ filename: 'Inner.eml', contentType: 'message/rfc822' }],
      forwarded: {
        subject: 'Inner',
        fromName: 'Carol',
        text: 'Inside.',
        attachments: [{ filename: 'table.csv', contentType: 'text/csv', size: 3 }],
      },
    },
  },

  /** A picture within the HTML, by its content id, beside a file: the picture belongs to the HTML. */
  inlineImage: {
    raw: () =>
      message({
        subject: 'Picture',
        text: 'A picture',
        html: '<p>A picture: <img src="cid:pixel@example.com"></p>',
        attachments: [
          { filename: 'pixel.png', contentType: 'image/png', content: PIXEL, contentId: 'pixel@example.com' },
          { filename: 'notes.txt', contentType: 'text/plain', content: 'notes' },
        ],
      }),
    expected: {
      subject: 'Picture',
      text: 'A picture',
      html: '<p>A picture: <img src="cid:pixel@example.com"></p>',
      attachments: [
        { filename: 'pixel.png', contentType: 'image/png', size: 70, contentId: 'pixel@example.com' },
        { filename: 'notes.txt', contentType: 'text/plain', size: 5 },
      ],
    },
  },

  /** An attachment with no name whatever. */
  namelessAttachment: {
    raw: () => message({ subject: 'Nameless', text: 'Text', attachments: [{ content: 'xyz' }] }),
    expected: {
      subject: 'Nameless',
      text: 'Text',
      attachments: [{ filename: null, contentType: 'application/octet-stream', size: 3 }],
    },
  },

  /** A multipart whose boundary never comes: no text is lost for ever, and no failure. */
  boundaryMissing: {
    raw: () => lines(...HEAD, 'Subject: Lost', 'Content-Type: multipart/mixed; boundary=never', '', 'Where am I?'),
    expected: { subject: 'Lost', attachments: [] },
  },

  /** A multipart that ends in the middle: the part that has begun is shown. */
  cutOff: {
    raw: () =>
      lines(
        ...HEAD,
        'Subject: Cut off',
        'Content-Type: multipart/mixed; boundary=b1',
        '',
        '--b1',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'So far',
      ),
    expected: { subject: 'Cut off', text: 'So far' },
  },
});
