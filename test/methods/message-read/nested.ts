import { getMessages } from '../../../src/methods/message/get.js';
import { sendPart } from '../../../src/methods/message/part.js';
import type { Params, Result } from '../../../src/protocol/contract.js';
import type { Dovecot } from '../../support/dovecot.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { lines } from '../../support/mail.js';

/** The part number of the message that is attached so deep. */
export function partAt(level: number): string {
  return Array.from({ length: level }, () => '3').join('.');
}

/** Bytes of the file of a level. */
export function fileAt(level: number): Buffer {
  return Buffer.from(`file ${level}`.repeat(level + 1));
}

/** A message with a text, a file and, down to the last level, a message that is made in the same way. */
export function nestedMail(levels: number, level = 0): Buffer {
  const more = level + 1 < levels;
  return lines(
    `Subject: Level ${level}`,
    `From: Sender ${level} <s${level}@example.com>`,
    `X-Level: ${level}`,
    `Message-ID: <${level}@example.com>`,
    `Content-Type: multipart/mixed; boundary=b${level}`,
    '',
    'preamble',
    `--b${level}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    `Text ${level}`,
    `--b${level}`,
    `Content-Type: application/octet-stream; name=f${level}.bin`,
    'Content-Transfer-Encoding: base64',
    '',
    fileAt(level).toString('base64'),
    ...(more
      ? [`--b${level}`, 'Content-Type: message/rfc822', `X-Mime: ${level}`, '', nestedMail(levels, level + 1)]
      : []),
    `--b${level}--`,
  );
}

/** One message in a folder of its own, and ways to read it on one connection. */
export async function reading(
  dovecot: Dovecot,
  mail: Buffer,
  prepare: (user: string) => Promise<void> = async () => {},
) {
  const user = dovecot.user();
  const [uid = 0] = await dovecot.deliver(user, 'INBOX', [mail]);
  await prepare(user);
  const account = await directAccount(dovecot.server(), { user, password: dovecot.password });
  const { uidValidity } = await account.connection.select('INBOX');
  const folder = { session: 'x', mailbox: 'INBOX', uidValidity };
  const context = handlerContext('message.get', account);
  const get = async (params: Partial<Params<'message.get'>> = {}): Promise<Result<'message.get'>> => {
    const asked = { ...folder, uids: [uid], headers: false, maxTextBytes: 512 * 1024, ...params };
    return JSON.parse((await getMessages(context, asked)).json());
  };
  const part = (
    params: Partial<Params<'message.part'>> & { part: string },
    transfer: 'inline' | 'stream' = 'inline',
  ) => {
    const own = handlerContext('message.part', account);
    const asked = { ...folder, uid, offset: 0, transfer, ...params };
    return sendPart(own, asked).then(async (answer) => ({
      ...answer,
      bytes: transfer === 'inline' ? Buffer.from(answer.data ?? '', 'base64') : await own.outgoing.finished,
    }));
  };
  return { user, uid, uidValidity, account, context, get, part };
}
