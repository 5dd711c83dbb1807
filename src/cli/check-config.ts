import { ConfigError, loadConfig } from '../config/load.js';
import { type ExitCode, exitCodes, type Output } from './output.js';

/** Says whether a configuration file can be used, and if not, all that is wrong with it. */
export function checkConfig(path: string, output: Output): ExitCode {
  try {
    const { broker } = loadConfig(path);
    const counts = `${broker.listeners.length} listener(s), ${broker.servers.length} server(s), ${broker.tenants.length} tenant(s)`;
    output.out(`${path}: OK: ${counts}\n`);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) output.err(`${path}: ${problem}\n`);
    return exitCodes.failure;
  }
}
