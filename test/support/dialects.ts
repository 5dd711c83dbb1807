import { Dovecot, type DovecotOptions } from './dovecot.js';
import { LeanImap } from './lean-imap.js';
import type { TestServer } from './test-server.js';

/** All that Dovecot 2.3 offers but QRESYNC and CONDSTORE. */
const RICH =
  'IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE';

/** What a server can do, as far as it tells: Dovecot's `imap_capability` hides the rest. */
export const dialects = {
  full: {},
  'without QRESYNC': { imapCapability: `${RICH} CONDSTORE` },
  'without CONDSTORE': { imapCapability: RICH, storage: 'sdbox' },
  bare: { imapCapability: 'IMAP4rev1 IDLE' },
  'bare, INBOX. before each name': {
    imapCapability: 'IMAP4rev1 IDLE',
    separator: '.',
    prefix: 'INBOX.',
    storage: 'maildir',
  },
  'bare with ESEARCH': { imapCapability: 'IMAP4rev1 IDLE ESEARCH' },
} as const satisfies Record<string, DovecotOptions>;

export type DialectName = keyof typeof dialects;

/** A server of a dialect. */
export interface Dialect {
  name: DialectName;
  dovecot: Dovecot;
  /** The same, for what any server does for. */
  server: TestServer;
  /** Begins the names of all folders but INBOX. */
  prefix: string;
  /** What it says that it can do, before the login and after, in upper case. */
  offered: ReadonlySet<string>;
}

// Without the quota plugin, which looks through all folders at each write, without folders that no test asked for, and
// with processes that serve one login after the other: thousands of histories are to take a minute.
const QUICK = `
mail_plugins =
protocol imap {
  mail_plugins =
}
namespace inbox {
  ${['Drafts', 'Sent', 'Trash', 'Junk', 'Archive'].map((name) => `mailbox ${name} {\n    auto = no\n  }`).join('\n  ')}
}
service imap {
  service_count = 1000
}`;

/** Starts a server of a dialect; its owner stops it. */
export async function startDialect(name: DialectName): Promise<Dialect> {
  const options: DovecotOptions = dialects[name];
  const dovecot = await Dovecot.start({ storage: 'mdbox', settings: QUICK, ...options });
  const client = await LeanImap.open(dovecot.plainPort, dovecot.user(), dovecot.password);
  const [reply] = await client.all('CAPABILITY');
  await client.close();
  const offered = new Set(reply?.untagged.flatMap((line) => line.toUpperCase().split(' ').slice(1)));
  return { name, dovecot, server: dovecot, prefix: options.prefix ?? '', offered };
}
