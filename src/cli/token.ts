import { randomBytes } from 'node:crypto';
import { appendTenant } from '../config/append-tenant.js';
import { hashToken } from '../session/tenants.js';
import { type ExitCode, exitCodes, type Output } from './output.js';

/**
 * Makes a bearer token for a web application; it is printed this once and stored nowhere.
 * @param configPath file that gets a tenant with the hash of the token; without it the lines for that are printed
 * @throws ConfigError when the file cannot be used; no token is printed then
 */
export function createToken(tenant: string, output: Output, configPath?: string): ExitCode {
  const token = `ibt_${randomBytes(32).toString('base64url')}`;
  const hash = hashToken(token);
  if (configPath !== undefined) appendTenant(configPath, tenant, hash);
  output.out(`${token}\n`);
  const once = 'Keep it where the web application finds it: it is shown this once.';
  const next =
    configPath === undefined
      ? `For the configuration, in the [[tenant]] of ${tenant}:
  token_hashes = ["${hash}"]
Two may stand there, comma between, while the old one is replaced.`
      : `${configPath} has a [[tenant]] ${tenant} with its hash now. A running broker takes it up by: imap-broker reload`;
  output.err(`\n${once} ${next}\n`);
  return exitCodes.ok;
}
