import { htmlToText } from '../text/html-text.js';
import type { Message } from './generated/message-read.js';
import type { BodyItem } from './generated/models.js';

/** What message.get answers of the bodies of a message. */
export type Bodies = Pick<Message, 'textBody' | 'htmlBody'>;

/**
 * A message as one piece of html: its html body, in which plain texts are escaped and keep their lines. The html is
 * what the sender wrote: sanitise it before you show it. Pictures between the texts are left out; they are among the
 * attachments.
 */
export function htmlOf({ htmlBody, textBody }: Bodies): string {
  return (htmlBody ?? textBody ?? []).flatMap((item) => (item.content ? [toHtml(item)] : [])).join('\n');
}

/** A message as plain text: its text body, of which html is reduced to its text; its html body where that is blank. */
export function textOf({ htmlBody, textBody }: Bodies): string {
  const text = toText(textBody ?? htmlBody ?? []);
  return text.trim() === '' ? toText(htmlBody ?? []) : text;
}

function toText(items: readonly BodyItem[]): string {
  return items
    .flatMap(({ type, content }) => (content ? [type === 'text/html' ? htmlToText(content) : content] : []))
    .join('\n');
}

function toHtml({ type, content }: BodyItem): string {
  if (type === 'text/html') return content ?? '';
  return `<div style="white-space: pre-wrap">${(content ?? '').replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)}</div>`;
}
