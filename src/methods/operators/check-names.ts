import { BrokerError } from '../../protocol/errors.js';
import type { AccountFilter } from '../../runtime/account-key.js';
import type { Services } from '../context.js';

/**
 * Makes sure that the tenant and server that an operator names are configured: a mistyped name would match no account.
 * @throws BrokerError NOT_FOUND
 */
export function checkNames(
  services: Pick<Services, 'tenantNames' | 'servers'>,
  { tenant, server }: AccountFilter,
): void {
  if (tenant !== undefined && !services.tenantNames.has(tenant)) {
    throw new BrokerError('NOT_FOUND', `tenant: there is no application "${tenant}".`, { field: 'tenant' });
  }
  if (server !== undefined && !services.servers.has(server)) throw unknownServer(server);
}

/** The error of a server that the configuration does not have. */
export function unknownServer(name: string): BrokerError {
  return new BrokerError('NOT_FOUND', `server: no IMAP server "${name}" is configured.`, { field: 'server' });
}
