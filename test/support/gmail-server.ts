import { answerItem, decodeName, encodeName, type GmailMail, itemsOf } from './gmail-mail.js';
import { compileSearch } from './gmail-search.js';
import { membersOf, quote, readTokens, type Token, textOf } from './gmail-tokens.js';
import { isInSet } from './scripted-rows.js';
import {
  type ScriptedCommand,
  type ScriptedConnection,
  type ScriptedServer,
  startScriptedServer,
} from './scripted-server.js';

/** As Gmail says it after the login. */
const CAPABILITIES =
  'IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584 SASL-IR AUTH=PLAIN AUTH=XOAUTH2';

/** Folders of every account: attributes, and the label or flag that brings a message there. */
const system: readonly [name: string, use: string, label: string | undefined][] = [
  ['INBOX', '', '\\Inbox'],
  ['[Gmail]/All Mail', ' \\All', undefined],
  ['[Gmail]/Drafts', ' \\Drafts', '\\Draft'],
  ['[Gmail]/Important', ' \\Important', '\\Important'],
  ['[Gmail]/Sent Mail', ' \\Sent', '\\Sent'],
  ['[Gmail]/Spam', ' \\Junk', '\\Spam'],
  ['[Gmail]/Starred', ' \\Flagged', '\\Starred'],
  ['[Gmail]/Trash', ' \\Trash', '\\Trash'],
];

interface Row {
  uid: number;
  mail: GmailMail;
}

interface Folder {
  name: string;
  attributes: string;
  label: string | undefined;
  uidValidity: number;
  uidNext: number;
  rows: Row[];
}

/** What a session has selected, as it was told last. */
interface Session {
  folder: Folder;
  rows: Row[];
}

/** What a new message is; a label that is new becomes a folder. */
export interface NewGmailMail {
  subject?: string;
  from?: string;
  to?: string;
  text?: string;
  /** More headers, in lines without CRLF. */
  headers?: string[];
  labels?: string[];
  flags?: string[];
  date?: Date;
  /** The message whose conversation it belongs to. */
  repliesTo?: GmailMail;
  unfetchable?: boolean;
}

/** A scripted Gmail of one account: messages have labels, and each label is a folder that shows the same messages. */
export class GmailServer {
  readonly mails: GmailMail[] = [];
  readonly #folders = new Map<string, Folder>();
  #scripted: ScriptedServer | undefined;
  #modseq = 1000;

  private constructor() {
    for (const [name, attributes, label] of system) this.#addFolder(name, attributes, label);
  }

  /** Listens; its owner closes {@link scripted}. */
  static async start(): Promise<GmailServer> {
    const gmail = new GmailServer();
    const handle =
      (work: (command: ScriptedCommand, client: ScriptedConnection, args: Token[]) => void) =>
      (command: ScriptedCommand, client: ScriptedConnection) => {
        try {
          work(command, client, readTokens(command.args));
        } catch (error) {
          client.bad(command, `Could not parse command: ${(error as Error).message}`);
        }
      };
    const select = handle((command, client, args) => gmail.#select(command, client, args));
    const search = handle((command, client, args) => gmail.#search(command, client, args));
    const fetch = handle((command, client, args) => gmail.#fetch(command, client, args));
    gmail.#scripted = await startScriptedServer({
      capabilities: CAPABILITIES,
      on: {
        ENABLE: handle((command, client, args) => {
          client.send(`* ENABLED ${args.map(textOf).join(' ')}`, `${command.tag} OK Success`);
        }),
        LIST: handle((command, client, args) => gmail.#list(command, client, args)),
        LSUB: handle((command, client) => {
          client.send(...gmail.#listLines('LSUB', '*'), `${command.tag} OK Success`);
        }),
        STATUS: handle((command, client, [name]) => {
          const folder = gmail.#folders.get(decodeName(textOf(name)));
          if (folder) client.send(statusLine(folder, gmail.#modseq), `${command.tag} OK Success`);
          else client.no(command, '[NONEXISTENT] Unknown Mailbox: (Failure)');
        }),
        SELECT: select,
        EXAMINE: select,
        NOOP: handle((command, client) => client.send(...gmail.#news(client), `${command.tag} OK Success`)),
        SEARCH: search,
        'UID SEARCH': search,
        FETCH: fetch,
        'UID FETCH': fetch,
        'UID STORE': handle((command, client, args) => gmail.#store(command, client, args)),
        'UID COPY': handle((command, client, args) => gmail.#transfer(command, client, args)),
        'UID MOVE': handle((command, client, args) => gmail.#transfer(command, client, args)),
      },
    });
    return gmail;
  }

  get scripted(): ScriptedServer {
    if (!this.#scripted) throw new Error('not started');
    return this.#scripted;
  }

  /** A new message, in the inbox unless labels say otherwise. */
  deliver(mail: NewGmailMail = {}): GmailMail {
    const id = 1_700_000_000_000_000_000n + BigInt(this.mails.length);
    const { subject = 'Hello', from = 'Anna <anna@example.com>', to = 'me@gmail.com', text = 'Hello.', date } = mail;
    const at = date ?? new Date(Date.UTC(2024, 4, 6, 7, this.mails.length % 60));
    const lines = [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, `Date: ${at.toUTCString()}`];
    lines.push(`Message-ID: <${id}@mail.gmail.com>`, ...(mail.headers ?? []));
    const made: GmailMail = {
      id,
      thread: mail.repliesTo?.thread ?? id,
      labels: new Set(mail.labels ?? ['\\Inbox']),
      flags: new Set(mail.flags),
      date: at,
      raw: `${lines.join('\r\n')}\r\n\r\n${text}\r\n`,
      modseq: 0,
      unfetchable: mail.unfetchable ?? false,
    };
    this.mails.push(made);
    this.#changed(made);
    return made;
  }

  /** Changes labels as another client does. */
  relabel(mail: GmailMail, { add = [], remove = [] }: { add?: string[]; remove?: string[] }): void {
    for (const label of add) mail.labels.add(label);
    for (const label of remove) mail.labels.delete(label);
    this.#changed(mail);
  }

  /** The uid of a message in a folder; undefined where it is not. */
  uidOf(mail: GmailMail, folder: string): number | undefined {
    return this.#folders.get(folder)?.rows.find((row) => row.mail === mail)?.uid;
  }

  #addFolder(name: string, attributes: string, label: string | undefined): Folder {
    const folder = { name, attributes, label, uidValidity: this.#folders.size + 1, uidNext: 1, rows: [] };
    this.#folders.set(name, folder);
    return folder;
  }

  /** The flag \Flagged and the label \Starred are one; each label is a folder; each folder has what is labelled so. */
  #changed(mail: GmailMail): void {
    this.#modseq += 1;
    mail.modseq = this.#modseq;
    if (mail.labels.has('\\Starred')) mail.flags.add('\\Flagged');
    for (const label of mail.labels) {
      if (!label.startsWith('\\') && !this.#folders.has(label)) this.#addFolder(label, '', label);
    }
    for (const folder of this.#folders.values()) {
      const belongs = isIn(folder, mail);
      const there = folder.rows.some((row) => row.mail === mail);
      if (belongs && !there) {
        folder.rows = [...folder.rows, { uid: folder.uidNext, mail }];
        folder.uidNext += 1;
      } else if (!belongs && there) folder.rows = folder.rows.filter((row) => row.mail !== mail);
    }
  }

  #list(command: ScriptedCommand, client: ScriptedConnection, args: Token[]): void {
    const patterns = membersOf(args[1]).map((one) => decodeName(textOf(one)));
    const returns = membersOf(args[3]).map(textOf);
    const lines = patterns.flatMap((pattern) => this.#listLines('LIST', pattern, returns.includes('SUBSCRIBED')));
    const counted = [...this.#folders.values()].filter(({ name }) => patterns.some((one) => fits(one, name)));
    const statuses = returns.includes('STATUS') ? counted.map((folder) => statusLine(folder, this.#modseq)) : [];
    client.send(...lines, ...statuses, `${command.tag} OK Success`);
  }

  #listLines(keyword: string, pattern: string, subscribed = false): string[] {
    const also = subscribed ? ' \\Subscribed' : '';
    const parent = fits(pattern, '[Gmail]') ? [`* ${keyword} (\\HasChildren \\Noselect) "/" "[Gmail]"`] : [];
    const folders = [...this.#folders.values()].filter(({ name }) => fits(pattern, name));
    return [
      ...parent,
      ...folders.map(
        ({ name, attributes }) => `* ${keyword} (\\HasNoChildren${attributes}${also}) "/" ${quote(encodeName(name))}`,
      ),
    ];
  }

  #select(command: ScriptedCommand, client: ScriptedConnection, [name]: Token[]): void {
    const folder = this.#folders.get(decodeName(textOf(name)));
    client.notes.delete('session');
    if (!folder) {
      client.no(command, '[NONEXISTENT] Unknown Mailbox: (Failure)');
      return;
    }
    client.mailbox = folder.name;
    client.notes.set('session', { folder, rows: folder.rows } satisfies Session);
    client.send(
      '* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing \\*)] Flags permitted.',
      `* OK [UIDVALIDITY ${folder.uidValidity}] UIDs valid.`,
      `* ${folder.rows.length} EXISTS`,
      '* 0 RECENT',
      `* OK [UIDNEXT ${folder.uidNext}] Predicted next UID.`,
      `* OK [HIGHESTMODSEQ ${this.#modseq}]`,
      `${command.tag} OK [READ-${command.name === 'SELECT' ? 'WRITE' : 'ONLY'}] ${folder.name} selected. (Success)`,
    );
  }

  #search(command: ScriptedCommand, client: ScriptedConnection, args: Token[]): void {
    const { rows } = sessionOf(client);
    const keys = [...args];
    let returns: string[] | undefined;
    if (textOf(keys[0]).toUpperCase() === 'RETURN') {
      returns = membersOf(keys[1]).map(textOf);
      keys.splice(0, 2);
    }
    if (textOf(keys[0]).toUpperCase() === 'CHARSET') keys.splice(0, 2);
    const test = compileSearch(keys);
    const last = rows.at(-1)?.uid ?? 0;
    const byUid = command.name.startsWith('UID');
    const hits = rows.flatMap(({ uid, mail }, index) => (test({ uid, mail, last }) ? [byUid ? uid : index + 1] : []));
    const found = [
      ...(returns?.includes('COUNT') ? [`COUNT ${hits.length}`] : []),
      ...(hits.length > 0 && !returns?.every((one) => one === 'COUNT') ? [`ALL ${hits.join(',')}`] : []),
    ];
    const prefix = `* ESEARCH (TAG "${command.tag}")${byUid ? ' UID' : ''}`;
    client.send(
      returns ? [prefix, ...found].join(' ') : `* SEARCH ${hits.join(' ')}`.trim(),
      `${command.tag} OK SEARCH completed (Success)`,
    );
  }

  #fetch(command: ScriptedCommand, client: ScriptedConnection, [set, wanted, modifiers]: Token[]): void {
    const { folder, rows } = sessionOf(client);
    const byUid = command.name.startsWith('UID');
    const since = Number(textOf(membersOf(modifiers)[1]) || 0);
    const items = itemsOf(wanted);
    if (byUid && !items.includes('UID')) items.push('UID');
    if (since > 0) items.push('MODSEQ');
    const last = byUid ? (rows.at(-1)?.uid ?? 0) : rows.length;
    let failed = false;
    for (const [index, { uid, mail }] of rows.entries()) {
      if (!isInSet(textOf(set), byUid ? uid : index + 1, last) || mail.modseq <= since) continue;
      if (mail.unfetchable && items.some((item) => /^BODY(?:\.PEEK)?\[/i.test(item))) failed = true;
      else client.send(rowLine(index, folder, { uid, mail }, items));
    }
    if (failed) client.no(command, 'Some messages could not be FETCHed (Failure)');
    else client.ok(command, 'Success');
  }

  #store(command: ScriptedCommand, client: ScriptedConnection, [set, item, values]: Token[]): void {
    const { folder, rows } = sessionOf(client);
    const what = textOf(item).toUpperCase();
    const labels = what.includes('X-GM-LABELS');
    const words = membersOf(values).map((one) => (labels ? decodeName(textOf(one)) : textOf(one)));
    const last = rows.at(-1)?.uid ?? 0;
    for (const [index, row] of rows.entries()) {
      if (!isInSet(textOf(set), row.uid, last)) continue;
      const target = labels ? row.mail.labels : row.mail.flags;
      if (!/^[+-]/.test(what)) target.clear();
      for (const word of words) {
        if (what.startsWith('-')) target.delete(word);
        else target.add(word);
      }
      this.#changed(row.mail);
      if (!what.endsWith('.SILENT')) {
        client.send(rowLine(index, folder, row, [labels ? 'X-GM-LABELS' : 'FLAGS', 'UID']));
      }
    }
    client.send(...this.#news(client), `${command.tag} OK Success`);
  }

  #transfer(command: ScriptedCommand, client: ScriptedConnection, [set, name]: Token[]): void {
    const { folder, rows } = sessionOf(client);
    const target = this.#folders.get(decodeName(textOf(name)));
    if (!target) {
      client.no(command, '[TRYCREATE] No folder (Failure)');
      return;
    }
    const last = rows.at(-1)?.uid ?? 0;
    const moved = rows.filter(({ uid }) => isInSet(textOf(set), uid, last));
    for (const { mail } of moved) {
      if (target.label) mail.labels.add(target.label);
      if (command.name === 'UID MOVE' && folder.label) mail.labels.delete(folder.label);
      this.#changed(mail);
    }
    const uids = moved.map(({ mail }) => this.uidOf(mail, target.name));
    const code = `[COPYUID ${target.uidValidity} ${moved.map(({ uid }) => uid).join(',')} ${uids.join(',')}]`;
    client.send(...this.#news(client), `${command.tag} OK ${moved.length > 0 ? `${code} ` : ''}(Success)`);
  }

  /** Tells what came and went since the session was told last. */
  #news(client: ScriptedConnection): string[] {
    const session = client.notes.get('session') as Session | undefined;
    if (!session) return [];
    const { folder } = session;
    const lines: string[] = [];
    for (let index = session.rows.length - 1; index >= 0; index -= 1) {
      if (!folder.rows.includes(session.rows[index] as Row)) lines.push(`* ${index + 1} EXPUNGE`);
    }
    const kept = session.rows.filter((row) => folder.rows.includes(row)).length;
    if (folder.rows.length > kept) lines.push(`* ${folder.rows.length} EXISTS`);
    session.rows = folder.rows;
    return lines;
  }
}

function isIn({ label }: Folder, { labels }: GmailMail): boolean {
  if (label === '\\Trash' || label === '\\Spam') return labels.has(label);
  if (labels.has('\\Trash') || labels.has('\\Spam')) return false;
  return label === undefined || labels.has(label);
}

function sessionOf(client: ScriptedConnection): Session {
  const session = client.notes.get('session') as Session | undefined;
  if (!session) throw new Error('no folder is selected');
  return session;
}

function rowLine(index: number, { label }: Folder, { uid, mail }: Row, items: readonly string[]): string {
  return `* ${index + 1} FETCH (${items.map((item) => answerItem(mail, uid, item, label)).join(' ')})`;
}

function statusLine({ name, rows, uidNext, uidValidity }: Folder, modseq: number): string {
  const unseen = rows.filter(({ mail }) => !mail.flags.has('\\Seen')).length;
  return `* STATUS ${quote(encodeName(name))} (MESSAGES ${rows.length} UNSEEN ${unseen} UIDNEXT ${uidNext} UIDVALIDITY ${uidValidity} HIGHESTMODSEQ ${modseq})`;
}

function fits(pattern: string, name: string): boolean {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const parts = pattern.split(/([*%])/).map((part) => (part === '*' ? '.*' : part === '%' ? '[^/]*' : literal(part)));
  return new RegExp(`^${parts.join('')}$`, 'i').test(name);
}
