import type { Envelope } from '../../src/protocol/models.js';
import { type LeanReply, type LeanValue, parseValues } from '../support/lean-imap.js';

/** A message as a fresh connection sees it. */
export interface Mail {
  uid: number;
  /** Sorted, without `\Recent`. */
  flags: string[];
  size: number;
  internalDate: string;
  envelope: Envelope;
}

/** A folder as a fresh connection sees it. */
export interface Folder {
  uidValidity: number;
  uidNext: number;
  /** By uid, the oldest first. */
  mails: Mail[];
}

/** What there is under a name: a folder, or none. */
export type State = Folder | undefined;

/** The commands of a snapshot: they select the folder anew and leave it, so no state of the connection is in it. */
export function snapshotCommands(path: string): string[] {
  return [
    `EXAMINE "${path}"`,
    'UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)',
    'CLOSE',
    // Courier tells it nowhere else.
    `STATUS "${path}" (UIDNEXT)`,
  ];
}

/** The server itself does not know what it has. */
export class ServerTrouble extends Error {}

/**
 * Reads the answers to {@link snapshotCommands}.
 * @throws ServerTrouble when it is not told whether there is such a folder
 */
export function readSnapshot([examined, fetched, , counted]: readonly LeanReply[]): State {
  if (examined?.status !== 'OK') {
    if (/does(?: not|n't) exist/.test(examined?.text ?? '')) return undefined;
    throw new ServerTrouble(examined?.text);
  }
  const uidValidity = numberIn(examined, /^OK \[UIDVALIDITY (\d+)/);
  const uidNext = numberIn(examined, /^OK \[UIDNEXT (\d+)/) ?? numberIn(counted, /^STATUS .*\(UIDNEXT (\d+)\)$/);
  const mails = (fetched?.untagged ?? []).flatMap(toMail).sort((a, b) => a.uid - b.uid);
  if (uidValidity === undefined || uidNext === undefined)
    throw new ServerTrouble(`no UIDVALIDITY or UIDNEXT: ${counted?.text}`);
  return { uidValidity, uidNext, mails };
}

function numberIn(reply: LeanReply | undefined, pattern: RegExp): number | undefined {
  const found = reply?.untagged.map((line) => pattern.exec(line)?.[1]).find((each) => each !== undefined);
  return found === undefined ? undefined : Number(found);
}

function toMail(line: string): Mail[] {
  const [, keyword, list] = parseValues(line);
  if (keyword !== 'FETCH' || !Array.isArray(list)) return [];
  const items = new Map<LeanValue, LeanValue>();
  for (let at = 0; at + 1 < list.length; at += 2) items.set(list[at] ?? null, list[at + 1] ?? null);
  return [
    {
      uid: Number(items.get('UID')),
      flags: members(items.get('FLAGS'))
        .map(String)
        .filter((flag) => flag !== '\\Recent')
        .sort(),
      size: Number(items.get('RFC822.SIZE')),
      internalDate: isoDate(items.get('INTERNALDATE')),
      envelope: toEnvelope(members(items.get('ENVELOPE'))),
    },
  ];
}

function toEnvelope([date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId]: LeanValue[]): Envelope {
  const addresses = (list: LeanValue | undefined) =>
    members(list).map((entry) => {
      const [name, , mailbox, host] = members(entry);
      return { name: String(name ?? ''), address: `${mailbox}@${host}` };
    });
  return {
    date: isoDate(date),
    subject: String(subject ?? ''),
    messageId: messageId == null ? null : String(messageId),
    inReplyTo: inReplyTo == null ? null : String(inReplyTo),
    from: addresses(from),
    sender: addresses(sender),
    replyTo: addresses(replyTo),
    to: addresses(to),
    cc: addresses(cc),
    bcc: addresses(bcc),
  };
}

function members(value: LeanValue | undefined): LeanValue[] {
  return Array.isArray(value) ? value : [];
}

function isoDate(value: LeanValue | undefined): string {
  return new Date(String(value)).toISOString();
}
