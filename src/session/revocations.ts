import { randomBytes } from 'node:crypto';
import { Listeners } from '../runtime/listeners.js';
import { covers, type Entry, type Header, merged, parseLine, revocationKey } from './revocation-entry.js';
import { RevocationFile } from './revocation-file.js';
import { type Endable, RevocationList } from './revocation-list.js';
import { Trouble } from './revocation-trouble.js';
import type { Session } from './session.js';

/** A session that was ended, or all sessions of a user or tenant that were opened until `at` (milliseconds since 1970). */
export interface Ended {
  id?: string | undefined;
  tenant: string;
  user?: string | undefined;
  at: number;
  /** When every session that it concerns has ended anyway. */
  until: number;
}

export interface RevocationsOptions {
  /** Most entries that are kept; above that, entries are replaced by one for their whole tenant. */
  most?: number;
  /** Lines beyond twice the entries that hold, of which most are out of date, before the file is written anew. */
  spareLines?: number;
  /** Milliseconds after which the file is looked at: other brokers may have appended to it. */
  lookMs?: number;
  /** Called with an error when the file can no longer be written, and without one when it can again. */
  onTrouble?: (error: unknown) => void;
}

const MOST = 100_000;
const SPARE_LINES = 1_000;
const LOOK_MS = 500;
/**
 * Generations that a start and a revocation skip. A broker that cannot write to the file counts on in steps of one: the
 * sessions that it opens meanwhile are below what other brokers revoke, and below its own next start.
 */
const SKIPPED = 1_000_000;
/** How often a revocation is made again at once, where other brokers revoke at the same moment. */
const ROUNDS = 5;
/** How often what is missing in the file is appended at once, where other brokers write the file anew meanwhile. */
const WRITES = 50;
/** Milliseconds that a revocation lasts at least: another configuration may have let sessions live longer than today's. */
const LASTS_MS = 366 * 24 * 3_600_000;
/** Stands for the header among the keys of what is to be written. */
const HEADER = '';

/**
 * Which sessions were ended before their time. With a file the list lasts over restarts, and several brokers may have
 * the file in common: each appends to it and reads what the others append. They count generations together: before a
 * broker revokes and before it opens a session it reads the file, and counts on from the highest generation there.
 */
export class Revocations {
  /** Entries that other brokers with the same file have made, as they are read. */
  readonly learned = new Listeners<readonly Entry[]>();
  readonly #most: number;
  readonly #spareLines: number;
  readonly #list = new RevocationList();
  readonly #file: RevocationFile | undefined;
  readonly #trouble: Trouble;
  readonly #looks: NodeJS.Timeout | undefined;
  /** Keys of entries that were not found in the file yet. */
  readonly #unwritten = new Set<string>();
  /** What the file has, while it is read from its beginning. */
  #found: Map<string, Entry> | undefined;
  #foundHeader = false;
  /** What was read, and its listeners have not been told of. */
  #news: Entry[] = [];
  #line = randomBytes(9).toString('base64url');
  #generation = 0;
  /** Up to where this broker has counted by itself, because the file could not be written. */
  #countedAlone = 0;
  #isLooking = false;
  #isClosed = false;

  /**
   * @param path of the file; without it the list ends with the process
   * @throws when there is a file that cannot be read
   */
  constructor(path?: string, options: RevocationsOptions = {}) {
    const { most = MOST, spareLines = SPARE_LINES, lookMs = LOOK_MS, onTrouble = () => {} } = options;
    this.#most = most;
    this.#spareLines = spareLines;
    this.#trouble = new Trouble(() => this.#write(), onTrouble);
    if (path === undefined) return;
    this.#file = new RevocationFile(path, {
      begin: () => this.#begin(),
      take: (line) => this.#take(line),
      end: () => this.#end(),
      lines: () => this.#lines(),
    });
    this.#start(this.#file);
    this.#looks = setInterval(() => void this.#lookAtFile(), lookMs).unref();
  }

  /** The line and generation of a session that is opened now. */
  opening(): Pick<Session, 'line' | 'generation'> {
    this.catchUp();
    return { line: this.#line, generation: this.#generation };
  }

  has(session: Endable): boolean {
    return this.#list.has(session, this.#line);
  }

  get size(): number {
    return this.#list.entries.size;
  }

  /** Ends one session, in every token that renewed it. @returns whether that lasts over a restart */
  session({ id, tenant, endsAt }: Pick<Session, 'id' | 'tenant' | 'endsAt'>): boolean {
    this.catchUp();
    return this.#add({ id, tenant, at: Date.now(), until: endsAt });
  }

  /** Ends all sessions of a user that were opened until now. @returns whether that lasts over a restart */
  user(tenant: string, user: string, longestMs: number): boolean {
    return this.#revoke({ tenant, user }, longestMs);
  }

  /** Ends all sessions of a tenant that were opened until now. @returns whether that lasts over a restart */
  tenant(tenant: string, longestMs: number): boolean {
    return this.#revoke({ tenant }, longestMs);
  }

  /** Takes over what another broker has ended: a session, or those of a user or tenant that were opened until then. */
  learn({ id, tenant, user, at, until }: Ended): void {
    const learnt: Entry = id === undefined ? { tenant, user, at, until, foreign: true } : { id, tenant, at, until };
    this.catchUp();
    const known = this.#list.entries.get(revocationKey(learnt));
    if (known && (id !== undefined || known.at >= at)) return;
    this.#add(learnt);
  }

  /** Takes up what other brokers have written to the file until now. */
  catchUp(): void {
    if (!this.#file) return;
    try {
      this.#file.read();
    } catch (error) {
      this.#trouble.begin(error);
    }
    // The file was deleted, for instance, and another broker has made one without what this one knows.
    if (this.#unwritten.size > 0 && !this.#trouble.isThere) this.#write();
    this.#tellNews();
  }

  /** Tries a last time to write what could not be written so far. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#looks);
    if (this.#trouble.isThere || this.#unwritten.size > 0) this.#write();
    this.#trouble.stop();
    this.#file?.close();
  }

  #start(file: RevocationFile): void {
    try {
      file.recover(true);
      file.read();
    } catch (error) {
      // With a list that cannot be read, sessions that were ended would go on.
      if (file.isThere) throw error;
      this.#trouble.begin(error);
    }
    this.#news = [];
    this.#generation += SKIPPED;
    this.#forgetEnded();
    // Other brokers are to know from where this one counts.
    this.#unwritten.add(HEADER);
    // A short list is rid of what is out of date at once; of a long one the others would have to read all lines.
    if (file.lines <= this.#spareLines) this.#writeAnew(file);
    else this.#writeOut(file);
  }

  async #lookAtFile(): Promise<void> {
    if (this.#isLooking || !this.#file) return;
    this.#isLooking = true;
    const hasChanged = await this.#file.hasChanged();
    this.#isLooking = false;
    if (hasChanged && !this.#isClosed) this.catchUp();
  }

  #revoke(whose: Pick<Entry, 'tenant' | 'user'>, longestMs: number): boolean {
    const lastsMs = Math.max(LASTS_MS, longestMs);
    for (let round = 1; ; round += 1) {
      this.catchUp();
      const before = this.#generation;
      const [generation, at] = [this.#nextGeneration(), Date.now()];
      const saved = this.#add({ ...whose, generation, at, until: at + lastsMs });
      // Another broker may have counted on at the same moment: its sessions are to be below the revocation as well.
      const isOvertaken = this.#generation > generation + 1;
      if (saved && isOvertaken && round < ROUNDS) continue;
      if (!saved && !isOvertaken) this.#countAlone(revocationKey(whose), before);
      return saved;
    }
  }

  /** The generation of a revocation, which is that of no session. */
  #nextGeneration(): number {
    const generation = this.#generation + (this.#file ? SKIPPED : 0);
    this.#generation = generation + 1;
    return generation;
  }

  /** Sets a revocation that other brokers cannot read back to the lowest generation that does, and counts on from there. */
  #countAlone(key: string, generation: number): void {
    const made = this.#list.entries.get(key);
    if (!made || !this.#unwritten.has(key)) return;
    this.#list.replace(key, { ...made, generation });
    this.#generation = generation + 1;
    this.#countedAlone = this.#generation;
  }

  #add(added: Entry): boolean {
    this.#keep(added);
    if (this.size > this.#most) this.#shrink();
    return this.#file !== undefined && this.#writeOut(this.#file);
  }

  /** Appends what is missing; writes the file anew where most of its lines are out of date. @returns whether it is on the disk */
  #writeOut(file: RevocationFile): boolean {
    if (!this.#write()) return false;
    // Rarely: each broker with the file reads it whole then.
    if (file.lines > 2 * this.size + this.#spareLines) this.#writeAnew(file);
    return true;
  }

  /** Takes up an entry that is to be written. */
  #keep(added: Entry): void {
    this.#toWrite(this.#list.put(added));
  }

  #toWrite(key: string): void {
    if (this.#file) this.#unwritten.add(key);
  }

  /** Appends what is missing in the file until it is found there. @returns whether it is on the disk */
  #write(): boolean {
    const file = this.#file;
    if (!file) return false;
    try {
      for (let round = 0; this.#unwritten.size > 0 || !file.isFlushed; round += 1) {
        if (round === WRITES) throw new Error('what was written to the list of ended sessions is not found there');
        file.append(this.#missing());
        file.read();
      }
      file.release();
      this.#trouble.end();
      return true;
    } catch (error) {
      this.#trouble.begin(error);
      return false;
    } finally {
      this.#tellNews();
    }
  }

  /** Leaves out of the file what is out of date, and writes what is missing in it. */
  #writeAnew(file: RevocationFile): void {
    this.#forgetEnded();
    try {
      file.recover(false);
      if (this.#write() && file.replace()) this.#write();
    } catch (error) {
      this.#trouble.begin(error);
    }
  }

  #tellNews(): void {
    const news = this.#news;
    this.#news = [];
    if (news.length > 0) this.learned.tell(news);
  }

  /** Makes room: rather too many sessions end than one that was revoked goes on. */
  #shrink(): void {
    this.#forgetEnded();
    for (const key of this.#list.coveredByTenants().keys()) this.#list.drop(key);
    if (this.size <= this.#most) return;
    const at = Date.now();
    for (const [tenant, until] of this.#list.dropNarrow()) {
      this.#keep({ tenant, generation: this.#nextGeneration(), at, until });
    }
  }

  #forgetEnded(): void {
    if (!this.#list.dropEnded(this.#generation)) return;
    this.#generation += 1;
    this.#toWrite(HEADER);
  }

  #begin(): void {
    this.#found = new Map();
    this.#foundHeader = false;
  }

  #take(line: string): void {
    // A crash may have cut a line short: that revocation was never answered.
    const { header, entry } = parseLine(line);
    if (header) this.#takeHeader(header);
    if (entry) this.#takeEntry(entry);
  }

  #takeHeader({ line, generation, forgotten }: Header): void {
    if (!this.#foundHeader && line !== this.#line) this.#adopt(line);
    this.#foundHeader = true;
    this.#generation = Math.max(this.#generation, generation);
    if (forgotten) this.#list.forget(forgotten);
    if (line === this.#line && generation >= this.#generation) this.#unwritten.delete(HEADER);
  }

  /** The file counts in another line: it was put in the place of the one before. */
  #adopt(line: string): void {
    this.#line = line;
    for (const key of this.#list.compareByClock()) this.#toWrite(key);
  }

  #takeEntry(entry: Entry): void {
    const key = revocationKey(entry);
    this.#found?.set(key, merged(this.#found.get(key), entry));
    if (entry.generation !== undefined) this.#generation = Math.max(this.#generation, entry.generation + 1);
    const known = this.#list.entries.get(key);
    if (known && covers(known, entry)) {
      if (covers(entry, known)) this.#unwritten.delete(key);
      return;
    }
    this.#list.put(entry);
    this.#news.push(entry);
    // The broker that has made the entry did not know of sessions that this one opened while it counted alone.
    if (entry.generation !== undefined && entry.generation < this.#countedAlone) {
      this.#keep({ ...entry, generation: this.#nextGeneration() });
    }
  }

  #end(): void {
    if (this.#found) this.#compare(this.#found);
    this.#found = undefined;
    if (this.size > this.#most) this.#shrink();
  }

  /** Finds out what a file lacks that was read from its beginning: another broker has made it, or written it anew. */
  #compare(found: ReadonlyMap<string, Entry>): void {
    // Another broker had no room for these.
    for (const [key, whole] of this.#list.coveredByTenants()) {
      const inFile = found.get(revocationKey(whole));
      if (!found.has(key) && inFile && covers(inFile, whole)) this.#list.drop(key);
    }
    const now = Date.now();
    for (const [key, entry] of this.#list.entries) {
      const inFile = found.get(key);
      if (inFile && covers(inFile, entry)) this.#unwritten.delete(key);
      else if (entry.until > now) this.#unwritten.add(key);
    }
    if (!this.#foundHeader) this.#unwritten.add(HEADER);
  }

  /** Lines that were not found in the file yet. */
  #missing(): string[] {
    const lines = this.#unwritten.has(HEADER) ? [this.#header()] : [];
    for (const key of this.#unwritten) {
      const entry = this.#list.entries.get(key);
      if (entry) lines.push(JSON.stringify(entry));
      else if (key !== HEADER) this.#unwritten.delete(key);
    }
    return lines;
  }

  #header(): string {
    const header: Header = { line: this.#line, generation: this.#generation };
    const { forgotten } = this.#list;
    if (forgotten) header.forgotten = forgotten;
    return JSON.stringify(header);
  }

  #lines(): string[] {
    return [this.#header(), ...Array.from(this.#list.entries.values(), (entry) => JSON.stringify(entry))];
  }
}
