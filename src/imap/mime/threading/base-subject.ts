const trailer = /(\s|\(fwd\))+$/i;
const leader = /^(\s+|(\[[^[\]]*\]\s*)*(re|fwd?)\s*(\[[^[\]]*\]\s*)?:)/i;
const blob = /^\[[^[\]]*\]\s*/;
/** Most characters of a subject that are compared; more would only cost time. */
const MOST_CHARACTERS = 1000;
const forwarded = /^\[fwd:(.*)\]$/i;

/** The subject without the additions of replies and forwards (RFC 5256 section 2.1). */
export function baseSubject(subject: string): string {
  // Collapses white space, because the trailer expression takes quadratic time on runs of blanks.
  let text = subject.slice(0, MOST_CHARACTERS).replace(/\s+/g, ' ');
  for (;;) {
    text = stripLeaders(text.replace(trailer, ''));
    const inner = forwarded.exec(text)?.[1];
    if (inner === undefined) return text;
    text = inner;
  }
}

/** Whether the subject is that of a reply or forward. */
export function isReply(subject: string): boolean {
  const text = subject.slice(0, MOST_CHARACTERS).trim();
  return leader.test(text) || forwarded.test(text) || /\(fwd\)$/i.test(text);
}

function stripLeaders(subject: string): string {
  let text = subject;
  for (;;) {
    const shorter = text.replace(leader, '');
    const withoutBlob = shorter.replace(blob, '');
    // A blob that is the whole subject is kept.
    const next = withoutBlob === '' ? shorter : withoutBlob;
    if (next === text) return text;
    text = next;
  }
}

/** The form in which strings are compared (i;unicode-casemap, RFC 5051). */
export function casemap(text: string): string {
  return text.normalize('NFKD').toUpperCase();
}
