import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import { findProgram } from '../support/dovecot-binary.js';

const GIB = 1024 ** 3;
/** What the bench, the broker and Dovecot share, however many there are. */
const CORES_USED = 2;

/** What the numbers depend on beside the code. */
export async function machine(): Promise<Record<string, string>> {
  const [{ model = 'unknown' } = {}, { length: cores }] = [cpus()[0], cpus()];
  return {
    processor: `${model}, ${cores} cores, of which ${Math.min(cores, CORES_USED)} are used by all processes together`,
    memory: `${(totalmem() / GIB).toFixed(0)} GiB`,
    kernel: `${type()} ${release()}`,
    node: process.version,
    dovecot: (await firstLine(findProgram('dovecot'), ['--version'])) ?? 'unknown',
    imapproxy: existsSync('/usr/sbin/imapproxyd') ? await imapproxyVersion() : 'not installed, so not measured',
  };
}

async function imapproxyVersion(): Promise<string> {
  const line = await firstLine('dpkg-query', ['-W', 'imapproxy']);
  return line?.split('\t')[1] ?? 'unknown';
}

async function firstLine(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, args);
    return stdout.split('\n')[0];
  } catch {
    return undefined;
  }
}
