import type { ScriptedCommand, ScriptedConnection } from './scripted-connection.js';
import type { ScriptedHandler } from './scripted-defaults.js';
import { fetchItems, isInSet, mailRow, type ScriptedMail } from './scripted-rows.js';

/** How a folder's server differs from one by the book. */
export interface FolderManners {
  /** As Courier: FETCH of a message that is gone answers a made-up one, until NOOP has told that it is gone. */
  makesUpMissing?: boolean;
  /** As Courier: SELECT says no UIDNEXT. */
  hidesUidNext?: boolean;
  /** As Cyrus: when the folder is gone, NOOP expunges all messages and then says NO. */
  refusesNoopWhenGone?: boolean;
  /** Speaks of flags, new mail and expunged messages in the middle of the answer to any command that allows it. */
  interrupts?: boolean;
  /** Names messages by their uid as well when it speaks of their flags on its own (RFC 9051 section 6.4.9). */
  uidInNews?: boolean;
  /** Tells this MAILBOXID (RFC 8474). */
  mailboxId?: string;
}

/** What a connection has been told, and nothing of what happened since. */
interface Told {
  folder: ScriptedFolder;
  /** By sequence number. */
  mails: ScriptedMail[];
  modseq: number;
  qresync: boolean;
}

/** A folder in memory that several connections of a scripted server have selected, each as far as it was told. */
export class ScriptedFolder {
  readonly manners: FolderManners;
  uidValidity: number;
  mails: ScriptedMail[] = [];
  /** Deleted or renamed: the next SELECT finds what {@link replacedBy} says. */
  gone = false;
  replacedBy: ScriptedFolder | undefined;
  /** Called once, in the middle of the next answer to a FETCH, SEARCH or STATUS, or just before it. */
  meanwhile: { when: 'before' | 'within'; happens: () => void } | undefined;
  readonly #vanished: { uid: number; modseq: number }[] = [];
  #uidNext = 1;
  #modseq = 1;

  constructor(count: number, manners: FolderManners = {}, uidValidity = 1) {
    this.manners = manners;
    this.uidValidity = uidValidity;
    // All at once: `arrive` copies what is there.
    this.mails = Array.from({ length: count }, (_, index) => ({ uid: index + 1, flags: [], modseq: index + 2 }));
    this.#uidNext += count;
    this.#modseq += count;
  }

  get uidNext(): number {
    return this.#uidNext;
  }
  get modseq(): number {
    return this.#modseq;
  }

  arrive(...flags: string[]): void {
    this.#modseq += 1;
    this.mails = [...this.mails, { uid: this.#uidNext, flags: [...flags].sort(), modseq: this.#modseq }];
    this.#uidNext += 1;
  }

  /** Leaves out so many uids. */
  skip(uids: number): void {
    this.#uidNext += uids;
  }

  expunge(...uids: number[]): void {
    this.#modseq += 1;
    this.#vanished.push(...uids.map((uid) => ({ uid, modseq: this.#modseq })));
    this.mails = this.mails.filter(({ uid }) => !uids.includes(uid));
  }

  flag(uid: number, ...flags: string[]): void {
    this.#modseq += 1;
    const modseq = this.#modseq;
    this.mails = this.mails.map((mail) => (mail.uid === uid ? { uid, flags: [...flags].sort(), modseq } : mail));
  }

  /** Overrides of a scripted server whose one folder, INBOX, this is. */
  handlers(): Record<string, ScriptedHandler> {
    const within =
      (handle: (told: Told, command: ScriptedCommand, connection: ScriptedConnection) => void): ScriptedHandler =>
      (command, connection) => {
        const told = connection.notes.get('told') as Told | undefined;
        if (told) handle(told, command, connection);
        else connection.bad(command, 'No mailbox selected');
      };
    const fetch = within((told, command, connection) => told.folder.#fetch(told, command, connection));
    const search = within((told, command, connection) => told.folder.#search(told, command, connection));
    const named =
      (
        handle: (folder: ScriptedFolder, command: ScriptedCommand, connection: ScriptedConnection) => void,
      ): ScriptedHandler =>
      (command, connection) => {
        const folder = this.gone ? this.replacedBy : this;
        if (folder) handle(folder, command, connection);
        else connection.no(command, '[NONEXISTENT] Mailbox does not exist');
      };
    const select = named((folder, command, connection) => folder.#select(command, connection));
    return {
      SELECT: select,
      EXAMINE: select,
      ID: (command, connection) => {
        const name = this.manners.makesUpMissing ? 'Courier-IMAP' : 'Scripted';
        connection.send(`* ID ("name" "${name}")`, `${command.tag} OK ID completed`);
      },
      ENABLE: (command, connection) => {
        if (/QRESYNC/i.test(command.args)) connection.notes.set('qresync', true);
        connection.send(`* ENABLED ${command.args}`, `${command.tag} OK ENABLE completed`);
      },
      STATUS: named((folder, command, connection) => folder.#status(command, connection)),
      NOOP: (command, connection) => {
        const told = connection.notes.get('told') as Told | undefined;
        if (told) told.folder.#noop(told, command, connection);
        else connection.ok(command);
      },
      FETCH: fetch,
      'UID FETCH': fetch,
      SEARCH: search,
      'UID SEARCH': search,
    };
  }

  #select(command: ScriptedCommand, connection: ScriptedConnection): void {
    const qresync = connection.notes.get('qresync') === true;
    const told: Told = { folder: this, mails: this.mails, modseq: this.#modseq, qresync };
    connection.notes.set('told', told);
    connection.mailbox = 'INBOX';
    const [, validity, since] = /\(QRESYNC \((\d+) (\d+)/i.exec(command.args) ?? [];
    connection.send(
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.',
      `* ${this.mails.length} EXISTS`,
      '* 0 RECENT',
      `* OK [UIDVALIDITY ${this.uidValidity}] UIDs valid`,
      ...(this.manners.mailboxId ? [`* OK [MAILBOXID (${this.manners.mailboxId})] Ok`] : []),
      ...(this.manners.hidesUidNext ? [] : [`* OK [UIDNEXT ${this.#uidNext}] Predicted next UID`]),
      `* OK [HIGHESTMODSEQ ${this.#modseq}] Highest`,
      ...(qresync && Number(validity) === this.uidValidity ? this.#since(Number(since)) : []),
      `${command.tag} OK [READ-WRITE] ${command.name} completed`,
    );
  }

  #status(command: ScriptedCommand, connection: ScriptedConnection): void {
    const told = connection.notes.get('told') as Told | undefined;
    // As it was told to the sessions that have it selected.
    const mails = told?.folder === this ? told.mails : this.mails;
    const unseen = mails.filter(({ flags }) => !flags.includes('\\Seen')).length;
    const id = /MAILBOXID/i.test(command.args) ? ` MAILBOXID (${this.manners.mailboxId})` : '';
    const modseq = /HIGHESTMODSEQ/i.test(command.args) ? ` HIGHESTMODSEQ ${this.#modseq}` : '';
    connection.send(
      `* STATUS INBOX (MESSAGES ${mails.length} UNSEEN ${unseen} UIDNEXT ${this.#uidNext} UIDVALIDITY ${this.uidValidity}${id}${modseq})`,
    );
    this.#reach('within');
    if (told && this.manners.interrupts) connection.send(...this.#news(told));
    connection.ok(command);
  }

  #noop(told: Told, command: ScriptedCommand, connection: ScriptedConnection): void {
    if (this.gone && this.manners.refusesNoopWhenGone) {
      connection.send(...told.mails.map(() => '* 1 EXPUNGE'));
      told.mails = [];
      connection.no(command, 'Mailbox does not exist');
      return;
    }
    connection.send(...this.#news(told), `${command.tag} OK NOOP completed`);
  }

  #fetch(told: Told, command: ScriptedCommand, connection: ScriptedConnection): void {
    this.#reach('before');
    const uid = command.name === 'UID FETCH';
    const [, set = '', items = '', since = '', vanished] =
      /^(\S+) (\(.*?\)|\S+)(?: \(CHANGEDSINCE (\d+)( VANISHED)?\))?$/i.exec(command.args) ?? [];
    const last = uid ? (told.mails.at(-1)?.uid ?? 0) : told.mails.length;
    const begun = this.mails;
    const row = (mail: ScriptedMail) => {
      const sequence = told.mails.findIndex((one) => one.uid === mail.uid) + 1;
      // What is fetched is as it is now, whatever was told; what goes meanwhile is still fetched.
      const now = [...this.mails, ...begun].find((one) => one.uid === mail.uid);
      if (sequence === 0 || (now ? now.modseq <= Number(since) : !this.manners.makesUpMissing)) return [];
      return mailRow(sequence, now ?? mail, fetchItems(items, uid, since !== ''), now === undefined);
    };
    const asked = told.mails.filter((mail, index) => isInSet(set, uid ? mail.uid : index + 1, last));
    const middle = Math.ceil(asked.length / 2);
    if (vanished) connection.send(...this.#earlier(Number(since)));
    connection.send(...asked.slice(0, middle).flatMap(row));
    this.#reach('within');
    // Numbers must not move while messages are named by them.
    if (this.manners.interrupts) connection.send(...this.#news(told, uid));
    connection.send(...asked.slice(middle).flatMap(row));
    connection.ok(command);
  }

  #search(told: Told, command: ScriptedCommand, connection: ScriptedConnection): void {
    const uid = command.name === 'UID SEARCH';
    const [, returns, criteria = ''] = /^(?:RETURN \((.*?)\) )?(.*)$/i.exec(command.args) ?? [];
    const [, set = '1:*'] = /\bUID (\S+)/i.exec(criteria) ?? [];
    const last = told.mails.at(-1)?.uid ?? 0;
    const hits = told.mails.flatMap((mail, index) =>
      isInSet(set, mail.uid, last) ? [uid ? mail.uid : index + 1] : [],
    );
    this.#reach('within');
    if (this.manners.interrupts) connection.send(...this.#news(told, uid));
    const answers = { COUNT: `COUNT ${hits.length}`, ALL: hits.length > 0 ? `ALL ${hits.join(',')}` : '' };
    const asked = (returns ?? '').toUpperCase().split(' ');
    const found = Object.entries(answers).flatMap(([name, text]) => (asked.includes(name) && text ? [text] : []));
    const prefix = `* ESEARCH (TAG "${command.tag}")${uid ? ' UID' : ''}`;
    connection.send(returns === undefined ? `* SEARCH ${hits.join(' ')}`.trim() : [prefix, ...found].join(' '));
    connection.ok(command);
  }

  #reach(when: 'before' | 'within'): void {
    const { meanwhile } = this;
    if (meanwhile?.when !== when) return;
    this.meanwhile = undefined;
    meanwhile.happens();
  }

  /** Tells what happened since the connection was told last: flags by sequence number alone, as servers do without QRESYNC. */
  #news(told: Told, withExpunges = true): string[] {
    const lines: string[] = [];
    for (const [index, mail] of told.mails.entries()) {
      const now = this.mails.find(({ uid }) => uid === mail.uid);
      if (!now || now === mail) continue;
      told.mails = told.mails.with(index, now);
      // RFC 7162 section 3.2.3: with the uid to those who enabled QRESYNC.
      const also = told.qresync
        ? ` UID ${now.uid} MODSEQ (${now.modseq})`
        : this.manners.uidInNews
          ? ` UID ${now.uid}`
          : '';
      lines.push(`* ${index + 1} FETCH (FLAGS (${now.flags.join(' ')})${also})`);
    }
    const gone = told.mails.filter(({ uid }) => !this.mails.some((one) => one.uid === uid));
    if (withExpunges && gone.length > 0) {
      if (told.qresync) lines.push(`* VANISHED ${gone.map(({ uid }) => uid).join(',')}`);
      for (const mail of told.qresync ? [] : [...gone].reverse())
        lines.push(`* ${told.mails.indexOf(mail) + 1} EXPUNGE`);
      told.mails = told.mails.filter((mail) => !gone.includes(mail));
    }
    const last = told.mails.at(-1)?.uid ?? 0;
    const fresh = this.mails.filter(({ uid }) => uid > last && !told.mails.some((one) => one.uid === uid));
    if (fresh.length > 0) {
      told.mails = [...told.mails, ...fresh];
      lines.push(`* ${told.mails.length} EXISTS`);
    }
    told.modseq = this.#modseq;
    return lines;
  }

  /** What SELECT with QRESYNC tells (RFC 7162 section 3.2.5). */
  #since(modseq: number): string[] {
    const changed = this.mails.flatMap((mail, index) =>
      mail.modseq > modseq
        ? `* ${index + 1} FETCH (UID ${mail.uid} FLAGS (${mail.flags.join(' ')}) MODSEQ (${mail.modseq}))`
        : [],
    );
    return [...this.#earlier(modseq), ...changed];
  }

  #earlier(modseq: number): string[] {
    const uids = this.#vanished.flatMap((one) => (one.modseq > modseq ? one.uid : []));
    return uids.length === 0 ? [] : [`* VANISHED (EARLIER) ${uids.join(',')}`];
  }
}
