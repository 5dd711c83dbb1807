import type { Context } from 'hono';

/** What a page shows: everything is in its address, so that back, reload and bookmarks work. */
export interface Place {
  folder: string;
  /** Words that are searched for. */
  q?: string | undefined;
  cursor?: string | undefined;
  /** The open message. */
  message?: MessagePlace | undefined;
}

/** A uid names a message together with the UIDVALIDITY of its folder. */
export interface MessagePlace {
  mailbox: string;
  uidValidity: number;
  uid: number;
}

export function placeOf(c: Context): Place {
  const folder = c.req.query('folder') ?? 'INBOX';
  const message = c.req.query('uid') === undefined ? undefined : messageOf(c);
  return { folder, q: c.req.query('q')?.trim() || undefined, cursor: c.req.query('cursor'), message };
}

/** What is no number becomes one that the broker refuses with INVALID_PARAMS. */
export function messageOf(c: Context): MessagePlace {
  const { box, folder = 'INBOX', v, uid } = c.req.query();
  return { mailbox: box ?? folder, uidValidity: Number(v), uid: Number(uid) };
}

export function href({ folder, q, cursor, message }: Place): string {
  const query = new URLSearchParams({ folder });
  if (q) query.set('q', q);
  if (cursor) query.set('cursor', cursor);
  if (message && message.mailbox !== folder) query.set('box', message.mailbox);
  if (message) for (const [name, value] of named(message)) query.set(name, value);
  return `/?${query}`;
}

/** The address of something of a message: /body, /part, /compose. */
export function hrefOf(path: string, message: MessagePlace, more: Record<string, string> = {}): string {
  return `${path}?${new URLSearchParams([['folder', message.mailbox], ...named(message), ...Object.entries(more)])}`;
}

function named({ uidValidity, uid }: MessagePlace): [string, string][] {
  return [
    ['v', `${uidValidity}`],
    ['uid', `${uid}`],
  ];
}

/** An address within this webmail, for what came from a browser: never one of another site. */
export function ownPath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])[^\s\\]*$/.test(path) ? path : '/';
}
