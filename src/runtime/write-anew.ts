import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a whole file as a new one beside the old, and then replaces the old one: when the disk is full, or the process
 * ends on the way, the old file is unchanged. The file is readable by its owner alone.
 * @param place puts the new file in its place; default: a rename, which replaces the old file
 * @returns a descriptor of the file, open for writing at its end
 * @throws what the file system says; nothing is left behind then
 */
export function writeAnew(
  path: string,
  text: string,
  place: (beside: string, path: string) => void = renameSync,
): number {
  const beside = `${path}.${randomBytes(4).toString('hex')}.new`;
  const file = openSync(beside, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
    place(beside, path);
    return file;
  } catch (error) {
    closeSync(file);
    rmSync(beside, { force: true });
    throw error;
  }
}
