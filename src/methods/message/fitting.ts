import type { Result } from '../../protocol/contract.js';
import type { BodyItem } from '../../protocol/models.js';

type Message = Result<'message.get'>['messages'][number];

/** Bytes of the messages of one answer, as JSON: it travels as one frame. */
const ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Messages as JSON that fit into one answer: whole as long as there is room, then with texts cut, then without all that
 * message.part and message.source can tell; these say that they are truncated.
 */
export function fitting(messages: readonly string[]): readonly string[] {
  // A character has three bytes of UTF-8 at most, and to count them costs more than the rest of an answer from memory.
  const characters = messages.reduce((sum, { length }) => sum + length, 0);
  if (3 * characters <= ANSWER_BYTES) return messages;
  let left = ANSWER_BYTES;
  return messages.map((whole) => {
    const told = Buffer.byteLength(whole) <= left ? whole : JSON.stringify(cut(JSON.parse(whole), left));
    left = Math.max(0, left - Buffer.byteLength(told));
    return told;
  });
}

function cut(message: Message, room: number): Message {
  const without = (items: BodyItem[] | null) => items?.map((item) => emptied(item)) ?? null;
  const textless = {
    ...message,
    textBody: without(message.textBody),
    htmlBody: without(message.htmlBody),
    truncated: true,
  };
  let left = room - bytesOf(textless);
  if (left < 0) return shell(message);
  const filled = (items: BodyItem[] | null) =>
    items?.map((item) => {
      const told = shortened(item, left);
      left -= bytesOf(told.content) - 2;
      return told;
    }) ?? null;
  return { ...textless, textBody: filled(message.textBody), htmlBody: filled(message.htmlBody) };
}

/** What a list shows, and that there is more. */
function shell(message: Message): Message {
  const { structure } = message;
  return {
    ...message,
    headers: message.headers && [],
    structure: { ...structure, parameters: {}, children: [] },
    textBody: message.textBody && [],
    htmlBody: message.htmlBody && [],
    attachments: [],
    truncated: true,
  };
}

function emptied(item: BodyItem): BodyItem {
  return item.content ? { ...item, content: '', truncated: true } : item;
}

/** With as much of its text as has room: characters cost between one byte and six. */
function shortened(item: BodyItem, room: number): BodyItem {
  const { content } = item;
  if (!content || bytesOf(content) - 2 <= room) return item;
  let length = content.length;
  for (let bytes = bytesOf(content) - 2; bytes > room; bytes = bytesOf(content.slice(0, length)) - 2) {
    length = Math.floor(Math.min(length * 0.9, (length * Math.max(0, room)) / bytes));
  }
  return { ...item, content: content.slice(0, length).replace(/[\uD800-\uDBFF]$/, ''), truncated: true };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
