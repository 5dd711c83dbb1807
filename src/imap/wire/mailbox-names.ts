import { BrokerError } from '../../protocol/errors.js';

/** Whether a name is INBOX, the only case-insensitive folder name (RFC 9051 section 5.1). */
export function isInbox(name: string): boolean {
  return name.toUpperCase() === 'INBOX';
}

/** The name, with INBOX in upper case, so that names can be compared. */
export function canonicalName(name: string): string {
  return isInbox(name) ? 'INBOX' : name;
}

/** The full name of the level above; null at the top. A leading delimiter is part of the name and ends no level. */
export function parentName(name: string, delimiter: string | null): string | null {
  const at = delimiter ? name.lastIndexOf(delimiter) : -1;
  return at > 0 ? canonicalName(name.slice(0, at)) : null;
}

/** The last level of a name. */
export function leafName(name: string, delimiter: string | null): string {
  return (delimiter && name.slice(name.lastIndexOf(delimiter) + 1)) || name;
}

/** Whether a folder is `root` or below it. */
export function isInTree(name: string, root: string, delimiter: string | null): boolean {
  return name === root || (delimiter !== null && name.startsWith(root + delimiter));
}

/**
 * Refuses a name with an empty level: some servers silently drop the level and create a different folder.
 * @throws BrokerError INVALID_PARAMS
 */
export function assertLevels(name: string, delimiter: string | null, field: string): void {
  if (!delimiter || !name.split(delimiter).includes('')) return;
  throw new BrokerError('INVALID_PARAMS', `${field}: "${name}" has an empty level; the delimiter is "${delimiter}".`, {
    field,
  });
}
