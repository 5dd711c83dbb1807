import type { ListField } from '../protocol/models.js';
import type { MailboxView } from './mailbox-view.js';
import type { Page } from './page.js';

/** The current state of a folder, from which later changes are computed. */
export function stateOf({ id, uidValidity, log }: MailboxView): string {
  return `${id}.${uidValidity}.${log.version}`;
}

/** The version in a state string of this view; undefined for any other string. */
export function versionOf({ id, uidValidity }: MailboxView, state: string): number | undefined {
  const [ofView, validity, version = ''] = state.split('.');
  if (ofView !== id || validity !== String(uidValidity) || !/^\d{1,15}$/.test(version)) return undefined;
  return Number(version);
}

/** The rows of a page as a JSON array. */
export function rowsJson(view: MailboxView, { uids }: Page, fields: readonly ListField[]): string {
  return `[${uids.map((uid) => view.rows.json(uid, fields, view.members.flagsOf(uid) ?? '[]')).join(',')}]`;
}
