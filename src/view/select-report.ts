import type { SelectedMailbox } from '../imap/connection/selected-mailbox.js';
import type { UidRanges } from './ranges.js';

/** What a SELECT that resumes from a known state reported. */
export interface SelectReport {
  /** Uids from VANISHED (EARLIER). */
  vanished: UidRanges;
  /** Flags of messages that the view knows, as JSON, by uid. */
  flags: Map<number, string>;
}

/** What a view knows of its folder. */
interface Known {
  readonly modseq: bigint | undefined;
  readonly uidNext: number | undefined;
  readonly unsure: boolean;
  readonly members: { readonly exists: number };
  isOf(selected: SelectedMailbox): boolean;
}

/** Whether a selection shows that nothing has changed of what a view knows of the folder: no flag, no message. */
export function isAsItWas(view: Known, selected: SelectedMailbox): boolean {
  const { uidNext, exists, highestModseq } = selected;
  if (highestModseq === undefined || highestModseq !== view.modseq || uidNext === undefined) return false;
  return uidNext === view.uidNext && exists === view.members.exists && view.isOf(selected) && !view.unsure;
}
