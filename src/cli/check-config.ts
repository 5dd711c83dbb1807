import { shareOf } from '../config/cluster.js';
import { stateDirProblem } from '../config/files.js';
import { type Config, ConfigError, loadConfig } from '../config/load.js';
import { KeyFileError, KeyRing } from '../session/key-ring.js';
import { type ExitCode, exitCodes, type Output } from './output.js';

/** Says whether a configuration file can be used, and if not, prints all problems. */
export function checkConfig(path: string, output: Output): ExitCode {
  try {
    const config = loadConfig(path);
    const problem = sessionProblem(config);
    if (problem !== undefined) throw new ConfigError([problem]);
    const { listeners, servers, tenants } = config.broker;
    const counts = `${listeners.length} listener(s), ${servers.length} server(s), ${tenants.length} tenant(s)`;
    output.out(`${path}: OK: ${counts}\n${shareOf(config)}`);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const one of error.problems) output.err(`${one}\n`);
    return exitCodes.failure;
  }
}

/** What keeps the broker from its keys and its list of ended sessions; nothing is made. */
function sessionProblem({ broker: { sessionFiles }, stateDir, placeOf }: Config): string | undefined {
  const inState = stateDir === undefined ? undefined : stateDirProblem(stateDir);
  if (inState !== undefined) return `${placeOf('session.state_dir')}: ${inState}`;
  // A key file that the broker makes at its start may be missing, or be unreadable for the user who checks.
  if (!sessionFiles || sessionFiles.createKeys) return undefined;
  try {
    KeyRing.ofFile(sessionFiles.keyFile, { create: false });
    return undefined;
  } catch (error) {
    if (error instanceof KeyFileError) return `${placeOf('session.key_file')}: ${error.message}`;
    throw error;
  }
}
