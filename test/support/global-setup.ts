import { existsSync } from 'node:fs';
import { MISSING } from './dovecot.js';

/** A missing server fails the run at once: no test is skipped in silence. */
export default function setup(): void {
  if (!existsSync('/usr/sbin/dovecot')) throw new Error(MISSING);
}
