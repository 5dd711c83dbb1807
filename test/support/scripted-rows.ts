export interface ScriptedMail {
  uid: number;
  /** Sorted. */
  flags: string[];
  modseq: number;
}

/** Whether a set such as `1:3,7:*` holds a number; `*` is the last there is. */
export function isInSet(set: string, number: number, last: number): boolean {
  const place = (text: string) => (text === '*' ? last : Number(text));
  return set.split(',').some((range) => {
    const [from = '', to = from] = range.split(':');
    const [low, high] = [place(from), place(to)].sort((a, b) => a - b) as [number, number];
    return number >= low && number <= high;
  });
}

/** The items of a FETCH, in upper case. */
export function fetchItems(items: string, byUid: boolean, withModseq: boolean): Set<string> {
  const names = new Set(
    items
      .toUpperCase()
      .replace(/^\(|\)$/g, '')
      .split(' '),
  );
  if (byUid) names.add('UID');
  if (withModseq) names.add('MODSEQ');
  return names;
}

/** What a message of a uid is to those who see it. */
export function shownMail(uid: number) {
  return {
    size: 1000 + uid,
    internalDate: `2024-05-06T07:${String(uid % 60).padStart(2, '0')}:09.000Z`,
    subject: `Message ${uid}`,
  };
}

/** The line of a FETCH answer. A made-up message has the flags of the one that is gone, and nothing else of it. */
export function mailRow(sequence: number, mail: ScriptedMail, items: ReadonlySet<string>, madeUp: boolean): string[] {
  const { uid, flags, modseq } = mail;
  const { size, subject } = madeUp ? { size: 61, subject: '[message unavailable]' } : shownMail(uid);
  const minute = String(uid % 60).padStart(2, '0');
  const date = madeUp ? '01-Jan-1970 00:00:00 +0000' : `06-May-2024 07:${minute}:09 +0000`;
  const address = madeUp ? 'NIL' : '((NIL NIL "alice" "example.com"))';
  const id = madeUp ? 'NIL' : `"<${uid}@example.com>"`;
  const values: Record<string, string> = {
    UID: String(uid),
    FLAGS: `(${flags.join(' ')})`,
    MODSEQ: `(${modseq})`,
    'RFC822.SIZE': String(size),
    INTERNALDATE: `"${date}"`,
    ENVELOPE: `(NIL "${subject}" ${address} ${address} ${address} NIL NIL NIL NIL ${id})`,
  };
  const told = Object.entries(values).flatMap(([name, value]) => (items.has(name) ? `${name} ${value}` : []));
  return [`* ${sequence} FETCH (${told.join(' ')})`];
}
