import { BrokerError } from '../../protocol/errors.js';
import { toFlags } from '../wire/convert.js';
import type { StatusText, UntaggedResponse } from '../wire/response.js';
import { countOf } from '../wire/sequence-set.js';
import { type ImapAttribute, listOf, modseqOf, nzNumberOf, textOf } from '../wire/tokens.js';
import type { FlagUpdate, Follower } from './follower.js';
import { mailboxIdOf, type SelectedMailbox, shownFlags } from './selected-mailbox.js';

/** UIDVALIDITY of folders whose server sends none. */
const NO_UIDVALIDITY = 1;

/** Most characters of a uid set that is passed to a follower: ten thousand messages with gaps between them. */
const MOST_VANISHED = 256 * 1024;

/** What the server has sent for a SELECT so far. */
type Opening = { path: string } & { [K in keyof Omit<SelectedMailbox, 'path'>]?: SelectedMailbox[K] | undefined };

/** The folder that a connection has selected, as the untagged responses describe it, and its follower. */
export class Selection {
  #selected: SelectedMailbox | undefined;
  #opening: Opening | undefined;
  #follower: Follower | undefined;
  /** An untagged NO or BAD came since the SELECT: Dovecot sends NO when the folder was replaced by another. */
  troubled = false;

  get selected(): SelectedMailbox | undefined {
    return this.#selected;
  }

  /** A SELECT is about to be sent: untagged responses from now on are about this folder. */
  begin(path: string, follower?: Follower): void {
    this.clear();
    this.#opening = { path };
    this.#follower = follower;
  }

  /**
   * The SELECT has succeeded.
   * @param modseqs whether the server offers mod-sequences; others are not to be asked by those that they tell
   * @throws BrokerError IMAP_NO where the server left out EXISTS, which is required
   */
  finish({ code }: StatusText, modseqs: boolean): SelectedMailbox {
    const opening: Opening = this.#opening ?? { path: '' };
    const { path, exists, uidValidity = NO_UIDVALIDITY } = opening;
    this.#opening = undefined;
    if (exists === undefined) {
      this.clear();
      const message = `mailbox: the IMAP server does not say how many messages "${path}" has.`;
      throw new BrokerError('IMAP_NO', message, { field: 'mailbox' });
    }
    this.#selected = {
      path,
      exists,
      uidValidity,
      mailboxId: opening.mailboxId,
      uidNext: opening.uidNext,
      readOnly: code === 'READ-ONLY',
      permanentFlags: opening.permanentFlags,
      flags: opening.flags,
      highestModseq: modseqs ? opening.highestModseq : undefined,
    };
    return this.#selected;
  }

  /** No folder is selected any more, or about to be. */
  clear(): void {
    this.unfollow();
    this.#selected = undefined;
    this.#opening = undefined;
    this.troubled = false;
  }

  isFollowedBy(follower: Follower): boolean {
    return this.#follower === follower;
  }

  /** Ends the following, and notifies the follower by `onLost`. */
  unfollow(): void {
    const follower = this.#follower;
    this.#follower = undefined;
    follower?.onLost();
  }

  /** Takes any untagged response. */
  note(response: UntaggedResponse): void {
    const { keyword, number, status } = response;
    if (status) this.#noteStatus(keyword, status);
    else if (keyword === 'FETCH') this.#noteFetch(response);
    else if (keyword === 'EXISTS' && number !== undefined) this.#noteExists(number);
    else if (keyword === 'EXPUNGE' && number !== undefined) this.#noteExpunge(number);
    else if (keyword === 'VANISHED') this.#noteVanished(response.attributes);
    else if (keyword === 'FLAGS') this.#noteFlags(response.attributes);
  }

  #noteStatus(keyword: string, { code, codeArgs: [value] }: StatusText): void {
    if (keyword === 'NO' || keyword === 'BAD') this.troubled = true;
    const opening = this.#opening;
    // Sent anew when a keyword is made (Dovecot).
    const folder = opening ?? this.#selected;
    if (keyword === 'OK' && code === 'PERMANENTFLAGS' && Array.isArray(value) && folder) {
      folder.permanentFlags = new Set(value.map(textOf));
    }
    if (keyword !== 'OK' || !opening) return;
    if (code === 'UIDVALIDITY') opening.uidValidity = nzNumberOf(value);
    else if (code === 'MAILBOXID') opening.mailboxId = mailboxIdOf(value);
    else if (code === 'UIDNEXT') opening.uidNext = nzNumberOf(value);
    else if (code === 'HIGHESTMODSEQ') opening.highestModseq = modseqOf(value) || undefined;
    else if (code === 'NOMODSEQ') opening.highestModseq = undefined;
  }

  #noteFlags([list]: readonly ImapAttribute[]): void {
    const folder = this.#opening ?? this.#selected;
    if (folder && Array.isArray(list)) folder.flags = shownFlags(list.map(textOf));
  }

  #noteExists(count: number): void {
    if (this.#opening) this.#opening.exists = count;
    else if (this.#selected) this.#selected.exists = count;
    this.#follower?.onExists(count);
  }

  #noteExpunge(seq: number): void {
    const folder = this.#opening ?? this.#selected;
    if (folder?.exists !== undefined && seq >= 1 && seq <= folder.exists) folder.exists -= 1;
    this.#follower?.onExpunge(seq);
  }

  #noteVanished(attributes: readonly ImapAttribute[]): void {
    const earlier = listOf(attributes[0]).some((tag) => textOf(tag).toUpperCase() === 'EARLIER');
    const uids = textOf(attributes[earlier ? 1 : 0]);
    if (!earlier && this.#selected) {
      const { exists } = this.#selected;
      this.#selected.exists = Math.max(0, exists - countOf(uids, exists));
    }
    // Outside of a SELECT it is the answer to a question of what vanished, not news of the followed folder.
    if (earlier && !this.#opening) return;
    // A follower starts over faster than it could process such a set.
    if (uids.length > MOST_VANISHED) this.unfollow();
    else this.#follower?.onVanished(uids, earlier);
  }

  #noteFetch({ number, items }: UntaggedResponse): void {
    if (!this.#follower || number === undefined) return;
    const { uid, flags, modseq } = flagsOf(items);
    if (flags) this.#follower.onFlags({ seq: number, uid, flags, modseq });
  }
}

/** Uid, flags and mod-sequence of the items of a FETCH response. */
export function flagsOf(
  items: ReadonlyMap<string, ImapAttribute>,
): Omit<FlagUpdate, 'seq' | 'flags'> & { flags: string[] | undefined } {
  const flags = items.get('FLAGS');
  return {
    uid: nzNumberOf(items.get('UID')),
    flags: flags === undefined ? undefined : toFlags(flags),
    modseq: modseqOf(listOf(items.get('MODSEQ'))[0]),
  };
}
