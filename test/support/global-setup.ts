import { findProgram } from './dovecot-binary.js';

/** A missing server fails the run at once, with one sentence: no test is skipped in silence. */
export default function setup(): void {
  findProgram('dovecot');
  findProgram('doveadm');
}
