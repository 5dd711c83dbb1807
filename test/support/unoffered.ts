/** What in a command needs a capability, and which ones do for it. */
const needs: { what: RegExp; one: string[] }[] = [
  { what: /^ID /i, one: ['ID'] },
  { what: /^ENABLE/i, one: ['ENABLE'] },
  { what: /^COMPRESS/i, one: ['COMPRESS=DEFLATE'] },
  { what: /^STARTTLS/i, one: ['STARTTLS'] },
  { what: /^NAMESPACE/i, one: ['NAMESPACE'] },
  { what: /^UNSELECT/i, one: ['UNSELECT'] },
  { what: /^IDLE/i, one: ['IDLE'] },
  { what: /^NOTIFY/i, one: ['NOTIFY'] },
  { what: /^(?:GETQUOTA|GETQUOTAROOT|SETQUOTA)/i, one: ['QUOTA'] },
  { what: /^UID EXPUNGE/i, one: ['UIDPLUS'] },
  { what: /^(?:UID )?MOVE/i, one: ['MOVE'] },
  { what: /^(?:UID )?SORT/i, one: ['SORT'] },
  { what: /^(?:UID )?THREAD REFERENCES/i, one: ['THREAD=REFERENCES'] },
  { what: /^(?:UID )?THREAD REFS/i, one: ['THREAD=REFS'] },
  { what: /^(?:UID )?THREAD ORDEREDSUBJECT/i, one: ['THREAD=ORDEREDSUBJECT'] },
  { what: /^(?:UID )?SEARCH RETURN/i, one: ['ESEARCH'] },
  { what: /^(?:UID )?SORT RETURN/i, one: ['ESORT'] },
  { what: /^LIST \(/i, one: ['LIST-EXTENDED'] },
  { what: /^LIST .* RETURN \(/i, one: ['LIST-EXTENDED'] },
  { what: /^LIST .* RETURN \(.*\bSTATUS \(/i, one: ['LIST-STATUS'] },
  { what: /^LIST .* RETURN \(.*SPECIAL-USE/i, one: ['SPECIAL-USE'] },
  { what: /^(?:STATUS|LIST) .*\([^()]*\bSIZE\b[^()]*\)+$/i, one: ['STATUS=SIZE'] },
  { what: /^(?:STATUS|LIST) .*\bHIGHESTMODSEQ\b/i, one: ['CONDSTORE', 'QRESYNC'] },
  { what: /^ENABLE .*\bCONDSTORE\b/i, one: ['CONDSTORE', 'QRESYNC'] },
  { what: /^ENABLE .*\bQRESYNC\b/i, one: ['QRESYNC'] },
  { what: /^ENABLE .*\bUTF8=/i, one: ['UTF8=ACCEPT', 'UTF8=ONLY'] },
  { what: /^(?:SELECT|EXAMINE) .*\(.*\bCONDSTORE\b/i, one: ['CONDSTORE', 'QRESYNC'] },
  { what: /^(?:SELECT|EXAMINE) .*\(.*\bQRESYNC\b/i, one: ['QRESYNC'] },
  { what: /^(?:UID )?FETCH .*\b(?:MODSEQ|CHANGEDSINCE)\b/i, one: ['CONDSTORE', 'QRESYNC'] },
  { what: /^(?:UID )?FETCH .*\bVANISHED\b/i, one: ['QRESYNC'] },
  { what: /^(?:UID )?FETCH .*\bPREVIEW\b/i, one: ['PREVIEW'] },
  { what: /^(?:UID )?FETCH .*\bBINARY\b/i, one: ['BINARY'] },
  { what: /^UID (?:FETCH|SEARCH) .*\bTHREADID\b/i, one: ['OBJECTID'] },
  { what: /^UID (?:FETCH|SEARCH) .*\bX-GM-THRID\b/i, one: ['X-GM-EXT-1'] },
  { what: /^(?:UID )?STORE .*\bUNCHANGEDSINCE\b/i, one: ['CONDSTORE', 'QRESYNC'] },
  { what: /^(?:UID )?SEARCH .*\bMODSEQ\b/i, one: ['CONDSTORE', 'QRESYNC'] },
  { what: /^(?:UID )?(?:SEARCH|SORT|THREAD) .*\b(?:YOUNGER|OLDER)\b/i, one: ['WITHIN'] },
  { what: /^(?:UID )?(?:SEARCH|SORT|THREAD) .*\bSAVED(?:SINCE|BEFORE|ON)\b/i, one: ['SAVEDATE'] },
  { what: /^(?:UID )?(?:SEARCH|SORT|THREAD) .*\b(?:EMAILID|THREADID)\b/i, one: ['OBJECTID'] },
  { what: /^(?:UID )?(?:SEARCH|SORT|THREAD) .*\bFUZZY\b/i, one: ['SEARCH=FUZZY'] },
  { what: /^(?:UID )?(?:SEARCH|SORT|THREAD|FETCH|STORE) .*\bX-GM-/i, one: ['X-GM-EXT-1'] },
  { what: /^AUTHENTICATE \S+ \S+/i, one: ['SASL-IR'] },
  { what: /\{\d+\+\}$/i, one: ['LITERAL+', 'LITERAL-'] },
];

/** The capabilities of which a command needs one and the server offers none; undefined where all is well. */
export function unoffered(line: string, offered: ReadonlySet<string>): string | undefined {
  // What stands in quotes is a folder's name or a word that is searched for.
  const command = line.replace(/^\S+ /, '').replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const missing = needs.find(({ what, one }) => what.test(command) && !one.some((name) => offered.has(name)));
  return missing?.one.join(' or ');
}

/** Takes the commands that clients send to a server and keeps those that it does not offer. */
export class Manners {
  /** Each kind of command once: `THREAD REFERENCES: needs ...`. */
  readonly breaches = new Set<string>();
  /** Commands looked at. */
  commands = 0;
  readonly #offered: ReadonlySet<string>;
  readonly #seen = new Set<string>();

  constructor(offered: ReadonlySet<string>) {
    this.#offered = offered;
  }

  take(line: string): void {
    this.commands += 1;
    // The same words with other numbers need the same.
    const kind = line
      .replace(/^\S+ /, '')
      .replace(/"(?:[^"\\]|\\.)*"/g, '""')
      .replace(/\d+/g, '0');
    if (this.#seen.has(kind)) return;
    this.#seen.add(kind);
    const missing = unoffered(line, this.#offered);
    if (missing !== undefined) this.breaches.add(`${kind}: needs ${missing}`);
  }
}
