import { loadConfig } from '../config/load.js';
import { rotateKeys } from '../session/key-ring.js';
import { CliError, type ExitCode, exitCodes, type Output } from './output.js';

/** Puts a new key in front of the key file of a configuration. Running brokers take the new key up by themselves. */
export function rotate(configPath: string, output: Output): ExitCode {
  const { sessionFiles } = loadConfig(configPath).broker;
  if (!sessionFiles) {
    throw new CliError(
      `${configPath}: [session] has no state_dir or key_file, so there are no keys to rotate.`,
      exitCodes.usage,
    );
  }
  const { id, keys } = rotateKeys(sessionFiles.keyFile);
  output.out(`${sessionFiles.keyFile}: new tokens are sealed with the key ${id}; ${keys} keys open tokens.\n`);
  return exitCodes.ok;
}
