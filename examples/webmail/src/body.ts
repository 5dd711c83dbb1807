import { type Bodies, htmlOf, type Result, type SessionClient, textOf } from 'imap-broker/client';
import type { MessagePlace } from './place.js';

type Message = Result<'message.get'>['messages'][number];

/** Bytes of the pictures that come with a message and are shown in it. */
const MOST_PICTURE_BYTES = 5 * 1024 * 1024;
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'image/avif']);
const CID = /cid:([^"'\s<>()]+)/gi;

/**
 * The policy of the document in the frame. Its sandbox runs no scripts, submits no forms and gives the document an
 * origin of its own; nothing is loaded but pictures of the message itself, and others where the reader wants them.
 */
export function framePolicy(remotePictures: boolean): string {
  return [
    'sandbox allow-popups allow-popups-to-escape-sandbox',
    "default-src 'none'",
    `img-src data:${remotePictures ? ' https:' : ''}`,
    "style-src 'unsafe-inline'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
  ].join('; ');
}

/** The text of a message as a document for the frame. */
export async function frameDocument(mail: SessionClient, at: MessagePlace, message: Message): Promise<string> {
  const html = hasHtml(message);
  const text = html
    ? withPictures(defused(htmlOf(message)), await pictures(mail, at, message))
    : linked(textOf(message));
  const looks = html ? `html ${hasColours(text) ? 'own' : 'ours'}` : 'text ours';
  const cut = message.truncated ? '<p class="cut">The rest of this message is too long to be shown here.</p>' : '';
  return `<!doctype html><html lang="und" class="${looks}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<base target="_blank"><title>Message</title><style>${STYLE}</style></head>
<body>${text}${cut}</body></html>`;
}

/** Whether the html of a message names pictures that are elsewhere. */
export function hasRemotePictures(message: Message): boolean {
  // Bounded repetition: a sender must not choose how long the search takes.
  return (
    hasHtml(message) &&
    /(?:\b(?:src|srcset|background)\s{0,9}=|url\()["'\s]{0,9}(?:https?:)?\/\//i.test(htmlOf(message))
  );
}

/** Whether html brings colours: then it expects a white page, also in the dark. */
function hasColours(html: string): boolean {
  return /color|background|<style/i.test(html);
}

/** Content ids of the pictures that the html shows. */
export function shownContentIds(message: Message): Set<string> {
  return new Set(hasHtml(message) ? [...htmlOf(message).matchAll(CID)].map(([, id = '']) => decoded(id)) : []);
}

function hasHtml({ htmlBody }: Bodies): boolean {
  return (htmlBody ?? []).some(({ type, content }) => type === 'text/html' && content !== null);
}

/**
 * Html in which elements mean nothing that act before, or beside, the policy: a `link` may connect to a host without
 * loading anything, a `meta` may send the frame elsewhere, a `base` changes where links lead.
 */
function defused(html: string): string {
  return html.replace(/<(?=(?:link|meta|base|script|object|embed|iframe|frame|portal)\b)/gi, '<x-');
}

async function pictures(mail: SessionClient, at: MessagePlace, message: Message): Promise<Map<string, string>> {
  const shown = shownContentIds(message);
  let room = MOST_PICTURE_BYTES;
  const wanted = message.attachments.filter(({ contentId, type, encodedSize }) => {
    if (contentId === null || !shown.has(contentId) || !PICTURES.has(type)) return false;
    room -= encodedSize;
    return room >= 0;
  });
  const found = await Promise.all(
    wanted.map(async ({ part, contentId, type }) => {
      const { body } = await mail.message.part({ ...at, part });
      const bytes = Buffer.from(await new Response(body).arrayBuffer());
      return [contentId ?? '', `data:${type};base64,${bytes.toString('base64')}`] as const;
    }),
  );
  return new Map(found);
}

/** The frame has an origin of its own, to which the browser sends no cookie: so pictures are in the document itself. */
function withPictures(html: string, found: ReadonlyMap<string, string>): string {
  return html.replace(CID, (all, id: string) => found.get(decoded(id)) ?? all);
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id.replaceAll('&amp;', '&'));
  } catch {
    return id;
  }
}

/** Plain text as html, with links. */
function linked(text: string): string {
  const pieces = text.split(/(\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}])/);
  // Every second piece is an address.
  return pieces.map((one, at) => (at % 2 ? `<a href="${escaped(one)}">${escaped(one)}</a>` : escaped(one))).join('');
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

const STYLE = `
body { margin: 0; padding: 1px 0; font: 15px/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
.ours { color-scheme: light dark; background: light-dark(#fff, #16181d); color: light-dark(#1b1e25, #e4e7ed); }
.ours a { color: light-dark(#3451c6, #9db1ff); }
.own { color-scheme: light; background: #fff; color: #1b1e25; }
@media (prefers-color-scheme: dark) { .own body { padding: 16px; } }
.text body { white-space: pre-wrap; }
body > :first-child { margin-top: 0; }
img { max-width: 100%; height: auto; }
.cut { font-style: italic; }`;
