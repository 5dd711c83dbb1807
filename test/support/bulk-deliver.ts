import { closeSync, fchownSync, futimesSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { mailOwner } from './dovecot-conf.js';

export interface BulkMessage {
  raw: string | Buffer;
  flags?: string[];
  /** Date of arrival. */
  date?: Date;
}

// The letters that a Maildir file name ends in; in the order that the Maildir specification asks for.
const LETTERS: Record<string, string> = {
  '\\Draft': 'D',
  '\\Flagged': 'F',
  '\\Answered': 'R',
  '\\Seen': 'S',
  '\\Deleted': 'T',
};
const EPOCH_SECONDS = 1_600_000_000;
let batch = 0;

/**
 * Writes messages into a Maildir folder that exists already, as a delivery agent would but straight into `cur`.
 * Dovecot gives out UIDs in the order of the number in the name, so that is what counts up.
 */
export function writeMaildir(folder: string, count: number, make: (index: number) => BulkMessage | string): void {
  const { uid, gid } = mailOwner();
  batch += 1;
  for (let index = 0; index < count; index += 1) {
    const made = make(index);
    const { raw, flags = [], date = undefined } = typeof made === 'string' ? { raw: made } : made;
    const bytes = withCrlf(raw);
    const letters = Object.entries(LETTERS).flatMap(([flag, letter]) => (flags.includes(flag) ? letter : []));
    // The sizes in the name (S on the disk, W with CRLF) save the server from reading every file for quota and SIZE.
    const name = `${EPOCH_SECONDS + batch * 1_000_000 + index}.M${index}P${process.pid}.bulk,S=${bytes.length},W=${bytes.length}:2,${letters.join('')}`;
    const file = openSync(join(folder, 'cur', name), 'wx', 0o644);
    try {
      writeSync(file, bytes);
      const arrived = date ? date.getTime() / 1000 : EPOCH_SECONDS + index;
      futimesSync(file, arrived, arrived);
      // Without being the owner Dovecot could not hard-link the file, which is how it copies.
      fchownSync(file, uid, gid);
    } finally {
      closeSync(file);
    }
  }
}

function withCrlf(raw: string | Buffer): Buffer {
  return Buffer.isBuffer(raw) ? raw : Buffer.from(raw.replace(/\r?\n/g, '\r\n'));
}
