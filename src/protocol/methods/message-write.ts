import { z } from 'zod';
import { sessionMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import { date, failedUids, flag, mailboxName, streamId, uid, uidPair, uids, uidValidity } from '../models.js';

const folder = { mailbox: mailboxName, uidValidity, uids };

const arrived = z.object({
  destination: z.string(),
  destinationUidValidity: uidValidity.nullable().describe('null where the server has no UIDPLUS and it was not found.'),
  uids: z.array(uidPair).describe('Source and destination uids; empty where the server does not tell them.'),
  notFound: failedUids,
});

export const messageWriteMethods = {
  'message.flag': sessionMethod({
    name: 'message.flag',
    summary: 'Adds, removes or sets flags and keywords.',
    effect: 'write',
    params: {
      ...folder,
      action: z.enum(['add', 'remove', 'set']),
      flags: z.array(flag).max(50).describe('Empty only with set: takes all flags away.'),
    },
    result: z.object({
      messages: z
        .array(z.object({ uid, flags: z.array(z.string()) }))
        .describe('Flags as the server has them afterwards.'),
      notFound: failedUids,
    }),
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO'],
  }),
  'message.copy': sessionMethod({
    name: 'message.copy',
    summary: 'Copies messages to another folder.',
    effect: 'write',
    params: { ...folder, destination: mailboxName },
    result: arrived,
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO'],
  }),
  'message.move': sessionMethod({
    name: 'message.move',
    summary: 'Moves messages: MOVE where offered, else COPY, \\Deleted and UID EXPUNGE.',
    effect: 'write',
    params: { ...folder, destination: mailboxName },
    result: arrived,
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO'],
  }),
  'message.delete': sessionMethod({
    name: 'message.delete',
    summary: "Deletes messages for good with UID EXPUNGE: never another client's deleted mail.",
    effect: 'write',
    params: folder,
    result: z.object({ deleted: z.array(uid), notFound: failedUids }),
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO'],
  }),
  'message.append': sessionMethod({
    name: 'message.append',
    summary: 'Stores a message, inline or uploaded by a stream.',
    effect: 'write',
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
      flags: z.array(flag).max(50).default([]),
      internalDate: date.optional().describe('Default: now.'),
    },
    result: z.object({
      mailbox: z.string(),
      uidValidity: uidValidity.nullable(),
      uid: uid.nullable().describe('By UIDPLUS, else found by a search; null where neither is certain.'),
    }),
    errors: ['NOT_FOUND', 'IMAP_NO', 'TOO_LARGE', 'STREAM_STALLED'],
  }),
};
