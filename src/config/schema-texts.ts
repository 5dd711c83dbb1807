import { isIP } from 'node:net';
import { z } from 'zod';
import { hashToken } from '../session/tenants.js';

/** What a problem of a text is, in words that follow the name of its key; `undefined` where there is none. */
type Problem = string | undefined;

/** A text that is not empty, and has no problem. */
function textWithout(problemOf: (text: string) => Problem) {
  return z
    .string()
    .min(1)
    .superRefine((text, { addIssue }) => {
      const message = text === '' ? undefined : problemOf(text);
      if (message !== undefined) addIssue({ code: 'custom', message, continue: false });
    });
}

/** A file that the broker reads: a path, or `credential:NAME`. */
export const filePath = textWithout(pathProblem);
/** A file or folder that the broker makes. */
export const ownPath = textWithout((path) =>
  path.startsWith('credential:')
    ? 'is created by the broker and cannot be a credential: write a path'
    : pathProblem(path),
);
/** A host name or an IP address. */
export const host = textWithout(hostProblem).max(253);
/** An origin (RFC 6454), as browsers send it; those of apps and extensions have schemes of their own. */
export const origin = textWithout((text) => {
  const found = URL.canParse(text) ? new URL(text).origin : 'null';
  if (found === text || (found === 'null' && /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/i.test(text))) return undefined;
  if (found === 'null') return 'is no origin such as "https://mail.example.com"';
  return `is not an origin as browsers send it: write "${found}"`;
});
/** SHA-256 of a token, in hex. */
export const tokenHash = textWithout(hashProblem);

function pathProblem(path: string): Problem {
  const [, credential] = /^(?:\$\{?CREDENTIALS_DIRECTORY\}?|%d)\/+([^/]+)$/.exec(path) ?? [];
  if (credential !== undefined) return `names the folder of credentials: write "credential:${credential}"`;
  if (path.startsWith('~')) return 'begins with ~, which the broker does not expand: write the whole path';
  if (/\$\{?\w/.test(path)) return 'has a variable, which the broker does not expand: write the whole path';
  if (/^%[a-zA-Z]\//.test(path)) return 'has a specifier of systemd, which the broker does not expand: write the path';
  const [, plain] = /^(?:file:\/\/|unix:(?:\/\/)?)(\/.+)$/.exec(path) ?? [];
  return plain === undefined ? undefined : `is a URL: write "${plain}"`;
}

/** A host, and what people write with it. */
interface HostParts {
  scheme: string | undefined;
  host: string;
  port: number | undefined;
}

/** Takes apart what may be a URL, have a port, or be an IPv6 address in brackets; `undefined` where no host is in it. */
export function hostParts(text: string): HostParts | undefined {
  const form =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:[^@/]*@)?(?:\[([^\]\s]+)\]|([^\s:/[\]@?#]+))(?::(\d{1,5}))?(?:\/.*)?$/i;
  const [whole, scheme, bracketed, plain, digits] = form.exec(text) ?? [];
  const name = bracketed ?? plain ?? '';
  if (whole === undefined || (bracketed !== undefined && isIP(bracketed) !== 6) || !isHostName(name)) return undefined;
  return { scheme: scheme?.toLowerCase(), host: name, port: digits === undefined ? undefined : Number(digits) };
}

/** Also names that DNS does not allow and hosts files have, and names in other alphabets. */
function isHostName(name: string): boolean {
  return isIP(name) !== 0 || /^[\p{L}\p{N}_-](?:[\p{L}\p{N}\p{M}_.-]*)$/u.test(name);
}

function hostProblem(text: string): Problem {
  if (isHostName(text)) return undefined;
  const parts = hostParts(text);
  if (parts === undefined) return 'is neither a host name nor an IP address';
  const port = parts.port === undefined ? '' : `, and port = ${parts.port} on a line of its own`;
  return `must be a host name or address alone: write "${parts.host}"${port}`;
}

const HASH_DIGITS = 64;
const HASH_OF_NOTHING = hashToken('');

function hashProblem(given: string): Problem {
  const text = given.trim();
  if (text.toLowerCase() === HASH_OF_NOTHING)
    return 'is the hash of empty input: no token reached the program that computed it';
  if (text === given && /^[0-9a-f]{64}$/i.test(text)) return undefined;
  if (/^(?:ibt_|[\w-]{43}$)/.test(text)) {
    const hash = hashToken(text);
    return `is a token, not its hash: write "${hash}", and create a new token if others could read this one`;
  }
  if (/(?:^|\W)[0-9a-f]{64}(?:\W|$)/i.test(given)) return `must be the ${HASH_DIGITS} digits of the hash alone`;
  if (/^[0-9a-f]{32,}$/i.test(text)) return `is no SHA-256 in hex: it has ${text.length} digits, not ${HASH_DIGITS}`;
  return `is no SHA-256 in hex (${HASH_DIGITS} digits)`;
}
