import type { Result } from '../../protocol/contract.js';
import type { BodyItem } from '../../protocol/models.js';

type Message = Result<'message.get'>['messages'][number];

/** Bytes of the messages of one answer, as JSON: an answer travels as one frame. */
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
    const shortened = Buffer.byteLength(whole) <= left ? whole : JSON.stringify(cutMessage(JSON.parse(whole), left));
    left = Math.max(0, left - Buffer.byteLength(shortened));
    return shortened;
  });
}

function cutMessage(message: Message, room: number): Message {
  const without = (items: BodyItem[] | null) => items?.map((item) => emptied(item)) ?? null;
  const textless = {
    ...message,
    textBody: without(message.textBody),
    htmlBody: without(message.htmlBody),
    truncated: true,
  };
  let left = room - jsonBytes(textless);
  if (left < 0) return shell(message);
  const filled = (items: BodyItem[] | null) =>
    items?.map((item) => {
      const { content } = item;
      if (!content) return item;
      const { text, bytes } = beginningOf(content, left);
      left -= bytes;
      return text.length < content.length ? { ...item, content: text, truncated: true } : item;
    }) ?? null;
  return { ...textless, textBody: filled(message.textBody), htmlBody: filled(message.htmlBody) };
}

/** What a list shows of a message, marked as truncated. */
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

/** As much of a text as has room, and what that costs: a character takes between one byte and six. */
function beginningOf(content: string, room: number): { text: string; bytes: number } {
  let text = content.slice(0, room);
  let bytes = jsonBytes(text) - 2;
  while (bytes > room) {
    text = text.slice(0, Math.floor(Math.min(text.length * 0.9, (text.length * room) / bytes)));
    bytes = jsonBytes(text) - 2;
  }
  return { text: text.length < content.length ? text.replace(/[\uD800-\uDBFF]$/, '') : text, bytes };
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
