import type { OpenedMessage, OpenOptions } from '../../imap/messages/open-message.js';
import { contentIdsIn } from '../../imap/mime/content-ids.js';
import { type HeaderLine, MOST_HEADER_LINES, parseHeaders } from '../../imap/mime/raw-headers.js';
import type { Attachment, BodyItem, Structure } from '../../protocol/models.js';

/** What of an opened message never changes, as JSON without the brace that begins it. */
export function toBodyJson(message: OpenedMessage, options: OpenOptions): string {
  const { structure, header, headerCut, readable, omitted, unreadable } = message;
  const { only, maxTextBytes } = options;
  const item = (node: Structure) => toItem(node, message, maxTextBytes > 0);
  const textBody = only === 'html' ? null : readable.textBody.map(item);
  const htmlBody = only === 'text' ? null : readable.htmlBody.map(item);
  const cut = [...(textBody ?? []), ...(htmlBody ?? [])].some(({ truncated }) => truncated);
  const lines = header ? parseHeaders(header, structure.charset) : [];
  const headersCut = headerCut || lines.length === MOST_HEADER_LINES;
  const body = {
    envelope: message.envelope,
    size: message.size,
    internalDate: message.internalDate,
    headers: header && headersOf(lines, options.headers),
    structure: structure.root,
    textBody,
    htmlBody,
    attachments: attachmentsOf(message),
    truncated: headersCut || structure.truncated || omitted || cut,
    ...(unreadable.length > 0 && { unreadable }),
  };
  return JSON.stringify(body).slice(1);
}

/** The header lines that are wanted: servers may send more than those. */
function headersOf(all: HeaderLine[], wanted: OpenOptions['headers']) {
  if (typeof wanted === 'boolean') return all;
  const names = new Set(wanted.map((name) => name.toLowerCase()));
  return all.filter(({ name }) => names.has(name.toLowerCase()));
}

function toItem({ part, type, parameters, encodedSize }: Structure, message: OpenedMessage, texts: boolean): BodyItem {
  const content = message.contents.get(part);
  if (content) return { part, type, ...content };
  const left = texts && type.startsWith('text/');
  return {
    part,
    type,
    content: left ? '' : null,
    truncated: left && encodedSize !== 0,
    charset: parameters.charset ?? null,
    charsetProblem: false,
  };
}

/** A file that the html shows is inline, whatever its disposition says. */
function attachmentsOf({ readable, contents }: OpenedMessage): Attachment[] {
  const html = readable.htmlBody.filter(({ type }) => type === 'text/html');
  const named = readable.files.some(({ contentId }) => contentId !== null);
  const ids = contentIdsIn(named ? html.map(({ part }) => contents.get(part)?.content ?? '').join('\n') : '');
  return readable.files.map(({ embedded: _, ...file }) => {
    const { contentId, role } = file;
    const shown = role === 'attachment' && contentId !== null && ids.has(contentId);
    return shown ? { ...file, role: 'inline' } : file;
  });
}
