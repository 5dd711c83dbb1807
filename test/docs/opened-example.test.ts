import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Dovecot } from '../support/dovecot.js';
import { directAccount, handlerContext } from '../support/handler-context.js';
import { base64Lines, deterministicBytes, lines } from '../support/mail.js';
import { PIXEL } from '../support/mail-fixtures-structure.js';
import { get } from '../support/plain-handlers.js';

/** A newsletter as they are sent: html with pictures of its own and a text beside it, and a file. */
const newsletter = lines(
  'From: =?utf-8?Q?B=C3=BCcherei_Nord?= <news@library.example>',
  'To: Readers: ida@example.org, Ole <ole@example.org>;',
  'Reply-To: desk@library.example',
  'Subject: =?utf-8?Q?Neue_B=C3=BCcher_im_Mai?=',
  'Date: Mon, 06 May 2024 07:08:09 +0200',
  'Message-ID: <may@library.example>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=outer',
  '',
  '--outer',
  'Content-Type: multipart/alternative; boundary=texts',
  '',
  '--texts',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Neue B=C3=BCcher',
  'https://library.example/may',
  '--texts',
  'Content-Type: multipart/related; boundary=page',
  '',
  '--page',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<img src=3D"cid:logo@library.example"><h1>Neue B=C3=BCcher</h1>',
  '--page',
  'Content-Type: image/png; name=logo.png',
  'Content-ID: <logo@library.example>',
  'Content-Disposition: inline; filename=logo.png',
  'Content-Transfer-Encoding: base64',
  '',
  base64Lines(PIXEL),
  '--page--',
  '--texts--',
  '--outer',
  'Content-Type: application/pdf; name="=?utf-8?Q?B=C3=BCcher.pdf?="',
  "Content-Disposition: attachment; filename*=utf-8''B%C3%BCcher.pdf",
  'Content-Transfer-Encoding: base64',
  '',
  base64Lines(deterministicBytes(3000)),
  '--outer--',
);

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

it('the example of an opened message in the protocol is what the broker answers', async () => {
  const user = dovecot.user();
  const uids = await dovecot.deliver(user, 'INBOX', [newsletter]);
  const account = await directAccount(dovecot.server(), { user, password: dovecot.password });
  const { uidValidity } = await account.connection.select('INBOX');
  const asked = { session: 'x', mailbox: 'INBOX', uidValidity, uids, headers: false, maxTextBytes: 100_000 };
  const answer = await get(handlerContext('message.get', account), asked);
  await account.close();
  for (const message of answer.messages) message.internalDate = '2024-05-06T05:08:12.000Z';
  answer.meta.asOf = '2024-05-06T06:00:00.000Z';
  const document = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const [, example = ''] = /## Opened messages[\s\S]*?```json\n([\s\S]*?)```/.exec(document) ?? [];
  expect(JSON.parse(example)).toEqual(answer);
});
