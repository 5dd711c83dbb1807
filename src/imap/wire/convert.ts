import { type ImapAttribute, listOf, textOf } from './tokens.js';

/** Flags in a stable order. `\Recent` is left out: it is about sessions, not about the message (RFC 9051 drops it). */
export function toFlags(attribute: ImapAttribute | undefined): string[] {
  return listOf(attribute)
    .map(textOf)
    .filter((flag) => flag !== '' && flag.toLowerCase() !== '\\recent')
    .sort();
}
