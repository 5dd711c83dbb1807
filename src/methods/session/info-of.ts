import { capabilitiesOf } from '../../imap/capabilities.js';
import { type Namespaces, namespacesOf } from '../../imap/namespaces.js';
import type { Result } from '../../protocol/contract.js';
import type { Capabilities } from '../../protocol/methods/session.js';
import type { Session } from '../../session/session.js';
import type { AccountRunner, RequestContext } from '../context.js';
import { jobOf } from '../job.js';

interface ServerFacts {
  capabilities: Capabilities;
  namespace: Namespaces;
}

/** What an account's server offers does not change while the account lives, so no connection is needed to tell again. */
const known = new WeakMap<AccountRunner, ServerFacts>();

/** What session.open and session.info tell of a session. */
export async function infoOf(
  context: RequestContext,
  account: AccountRunner,
  session: Session,
): Promise<Result<'session.info'>> {
  const { capabilities, namespace } = known.get(account) ?? (await ask(context, account));
  const { connectionsPerAccount, queuePerAccount, appendBytes } = context.services.limits;
  const { appendLimit } = capabilities;
  return {
    server: session.server,
    user: session.user,
    capabilities,
    namespace,
    limits: {
      connections: connectionsPerAccount,
      queue: queuePerAccount,
      appendBytes: appendLimit === null ? appendBytes : Math.min(appendBytes, appendLimit),
    },
    expiresAt: new Date(session.expiresAt).toISOString(),
  };
}

async function ask(context: RequestContext, account: AccountRunner): Promise<ServerFacts> {
  const facts = await account.run(jobOf(context, { effect: 'read' }), async (connection) => ({
    capabilities: capabilitiesOf(connection),
    namespace: await namespacesOf(connection),
  }));
  known.set(account, facts);
  return facts;
}
