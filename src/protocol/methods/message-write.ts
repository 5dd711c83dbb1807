import { z } from 'zod';
import { writeMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import { date, failedUids, flag, label, mailboxName, streamId, uid, uidPair, uids, uidValidity } from '../models.js';

const folder = { mailbox: mailboxName, uidValidity, uids };

const arrived = {
  destination: z.string(),
  destinationUidValidity: uidValidity.nullable().describe('null where the server has no UIDPLUS and it was not found.'),
  uids: z.array(uidPair).describe('Source and destination uids; empty where the server does not tell them.'),
  notFound: failedUids,
};

const idempotencyKey = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe(
    'Chosen by the caller: within 15 minutes the same key answers what the first request answered and does nothing again.',
  );

export const messageWriteMethods = {
  'message.flag': writeMethod({
    name: 'message.flag',
    summary: 'Adds, removes or sets flags and keywords.',
    params: {
      ...folder,
      action: z.enum(['add', 'remove', 'set']).describe('set: the messages have these flags and no others.'),
      flags: z.array(flag).max(50).describe('Empty only with set: takes all flags away.'),
    },
    result: {
      messages: z
        .array(z.object({ uid, flags: z.array(z.string()) }))
        .describe('Flags as the server has them afterwards.'),
      notFound: failedUids,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO'],
  }),
  'message.label': writeMethod({
    name: 'message.label',
    summary: 'Adds and removes labels of Gmail (X-GM-LABELS); the folders of the labels change with them.',
    params: {
      ...folder,
      add: z.array(label).max(50).default([]).describe('Labels to add.'),
      remove: z.array(label).max(50).default([]).describe('None that is added; one of the two is not empty.'),
    },
    result: {
      messages: z
        .array(
          z.object({
            uid,
            labels: z
              .array(z.string())
              .nullable()
              .describe(
                'As the server has them afterwards, without that of the folder itself; null where the message is not in the folder any more.',
              ),
          }),
        )
        .describe('In the order of the uids.'),
      notFound: failedUids,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'UNSUPPORTED'],
  }),
  'message.copy': writeMethod({
    name: 'message.copy',
    summary: 'Copies messages to another folder.',
    params: { ...folder, destination: mailboxName, idempotencyKey },
    result: arrived,
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'IDEMPOTENCY_MISMATCH'],
  }),
  'message.move': writeMethod({
    name: 'message.move',
    summary: 'Moves messages: MOVE where offered, else COPY, \\Deleted and UID EXPUNGE.',
    params: { ...folder, destination: mailboxName, idempotencyKey },
    result: arrived,
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'IDEMPOTENCY_MISMATCH'],
  }),
  'message.delete': writeMethod({
    name: 'message.delete',
    summary: "Deletes messages for good with UID EXPUNGE: never another client's deleted mail.",
    params: folder,
    result: { deleted: z.array(uid), notFound: failedUids },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO'],
  }),
  'message.append': writeMethod({
    name: 'message.append',
    summary: 'Stores a message, inline or uploaded by a stream.',
    params: {
      mailbox: mailboxName,
      data: z
        .base64()
        .min(1)
        .max(Math.ceil(protocolLimits.inlineBytes / 3) * 4)
        .optional()
        .describe('The raw message in base64, at most 1 MiB of it decoded.'),
      stream: streamId
        .optional()
        .describe('An odd number that this socket has not used yet: DATA frames of this id carry the message.'),
      size: z.int().min(1).max(4_294_967_295).optional().describe('With stream: its bytes in all, exactly.'),
      flags: z.array(flag).max(50).default([]).describe('Flags and keywords of the message.'),
      internalDate: date.optional().describe('Default: now.'),
      idempotencyKey,
      repeat: z
        .boolean()
        .default(false)
        .describe(
          'For a request that is sent again, with its idempotencyKey: where the folder has a message with the Message-ID of this one already, nothing is stored and the answer is that message.',
        ),
    },
    result: {
      mailbox: z.string(),
      uidValidity: uidValidity.nullable(),
      uid: uid.nullable().describe('By UIDPLUS, else found by a search; null where neither is certain.'),
    },
    errors: ['NOT_FOUND', 'IMAP_NO', 'TOO_LARGE', 'STREAM_STALLED', 'IDEMPOTENCY_MISMATCH'],
  }),
};
