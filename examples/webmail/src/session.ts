import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Result } from 'imap-broker/client';
import { knownZone } from './words.js';

const COOKIE = 'webmail';
/** Browsers drop a cookie above 4 KB without a word. */
const MOST_BYTES = 4000;

/** What the browser keeps: the sealed token, which is worth nothing without this application's own token. */
export interface Signed {
  session: string;
  user: string;
  /** Where the browser is, if its script could tell. */
  timeZone: string | undefined;
  /** Milliseconds since 1970 from which on the token is to be renewed: when half of its time is over. */
  renewAt: number;
}

type Token = Pick<Result<'session.renew'>, 'session' | 'expiresAt'>;

/** Keeps a session in the browser. @returns whether it fits into a cookie, which a very long password does not */
export function remember(
  c: Context,
  { user, timeZone }: Pick<Signed, 'user' | 'timeZone'>,
  { session, expiresAt }: Token,
): boolean {
  const now = Date.now();
  const signed: Signed = { session, user, timeZone, renewAt: now + (Date.parse(expiresAt) - now) / 2 };
  const value = JSON.stringify(signed);
  if (encodeURIComponent(value).length > MOST_BYTES) return false;
  setCookie(c, COOKIE, value, cookie(c));
  return true;
}

export function forget(c: Context): void {
  deleteCookie(c, COOKIE, cookie(c));
}

export function signedOf(c: Context): Signed | undefined {
  try {
    const { session, user, timeZone, renewAt } = JSON.parse(getCookie(c, COOKIE) ?? '') as Record<string, unknown>;
    if (typeof session !== 'string' || typeof user !== 'string' || typeof renewAt !== 'number') return undefined;
    return { session, user, timeZone: typeof timeZone === 'string' ? knownZone(timeZone) : undefined, renewAt };
  } catch {
    return undefined;
  }
}

/** Tells the next page what was done. */
export function note(c: Context, words: string): void {
  setCookie(c, 'note', words, { ...cookie(c), maxAge: 30 });
}

export function takeNote(c: Context): string | undefined {
  const words = getCookie(c, 'note');
  if (words !== undefined) deleteCookie(c, 'note', cookie(c));
  return words;
}

/** No script can read it; no other site can send it with a post. */
function cookie(c: Context) {
  const secure = c.req.url.startsWith('https:') || c.req.header('x-forwarded-proto') === 'https';
  return { httpOnly: true, sameSite: 'Lax', secure, path: '/' } as const;
}
