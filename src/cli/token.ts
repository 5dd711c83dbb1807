import { randomBytes } from 'node:crypto';
import { hashToken } from '../session/tenants.js';
import { type ExitCode, exitCodes, type Output } from './output.js';

/** Makes a bearer token for a web application; it is printed this once and stored nowhere. */
export function createToken(tenant: string, output: Output): ExitCode {
  const token = `ibt_${randomBytes(32).toString('base64url')}`;
  output.out(`${token}\n`);
  output.err(`
Keep it where the web application finds it: it is shown this once. For the configuration, in the [[tenant]] of ${tenant}:
  token_hashes = ["${hashToken(token)}"]
Two may stand there, comma between, while the old one is replaced.
`);
  return exitCodes.ok;
}
