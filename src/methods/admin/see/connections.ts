import type { ImapConnection } from '../../../imap/connection/connection.js';
import type { Account } from '../../../pool/account.js';
import { keyMatcher, namesOf } from '../../../runtime/account-key.js';
import type { Handler } from '../../context.js';
import { pageOf } from '../../operators/paging.js';

const handle: Handler<'connection.list'> = async ({ services }, params) => {
  const all = connectionsOf(services.registry.accounts, keyMatcher(params));
  const { members, total, nextOffset } = pageOf(all, params, () => true);
  const connections = members.map(([account, connection]) => ({
    ...namesOf(account.key),
    ...account.describe(connection),
  }));
  return { connections, total, nextOffset };
};

function* connectionsOf(
  accounts: Iterable<Account>,
  matches: (key: string) => boolean,
): Generator<[Account, ImapConnection]> {
  for (const account of accounts) {
    if (!matches(account.key)) continue;
    for (const connection of account.connections) yield [account, connection];
  }
}

export default handle;
