import { shareOf } from '../config/cluster.js';
import { ConfigError, loadConfig } from '../config/load.js';
import { KeyFileError, KeyRing } from '../session/key-ring.js';
import { type ExitCode, exitCodes, type Output } from './output.js';

/** Says whether a configuration file can be used, and if not, prints all problems. */
export function checkConfig(path: string, output: Output): ExitCode {
  try {
    const config = loadConfig(path);
    const { broker } = config;
    const { sessionFiles } = broker;
    // A key file that the broker makes at its start may be missing, or be unreadable for the user who checks.
    if (sessionFiles && !sessionFiles.createKeys) KeyRing.ofFile(sessionFiles.keyFile, { create: false });
    const counts = `${broker.listeners.length} listener(s), ${broker.servers.length} server(s), ${broker.tenants.length} tenant(s)`;
    output.out(`${path}: OK: ${counts}\n${shareOf(config)}`);
    return exitCodes.ok;
  } catch (error) {
    for (const problem of problemsOf(error)) output.err(`${path}: ${problem}\n`);
    return exitCodes.failure;
  }
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  if (error instanceof KeyFileError) return [`session.key_file: ${error.message}`];
  throw error;
}
