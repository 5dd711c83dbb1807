import { capabilitiesOf, offeredBy } from '../../imap/connection/capabilities.js';
import { namespacesOf } from '../../imap/connection/namespaces.js';
import type { Result } from '../../protocol/contract.js';
import type { Session } from '../../session/session.js';
import type { AccountRunner, RequestContext } from '../context.js';
import { jobOf } from './job.js';
import type { Facts } from './server-facts.js';

/** What session.open and session.info tell of a session. */
export async function infoOf(
  context: RequestContext,
  account: AccountRunner,
  session: Session,
): Promise<Result<'session.info'>> {
  const { capabilities, namespace, software, offered } = await factsOf(context, account, session);
  const { connectionsPerAccount, queuePerAccount, appendBytes } = context.services.limits.now;
  const { appendLimit } = capabilities;
  return {
    server: session.server,
    user: session.user,
    software,
    capabilities,
    offered: [...offered],
    namespace,
    limits: {
      connections: account.budget ?? connectionsPerAccount,
      queue: queuePerAccount,
      appendBytes: appendLimit === null ? appendBytes : Math.min(appendBytes, appendLimit),
    },
    expiresAt: new Date(session.expiresAt).toISOString(),
    endsAt: new Date(session.endsAt).toISOString(),
  };
}

function factsOf(context: RequestContext, account: AccountRunner, session: Session): Promise<Facts> {
  const { facts, servers, sessions } = context.services;
  const ask = () =>
    account.run(jobOf(context, { effect: 'read' }), async (connection) => ({
      facts: {
        capabilities: capabilitiesOf(connection),
        namespace: namespacesOf(connection),
        software: connection.software ?? null,
        offered: offeredBy(connection),
      },
      server: connection.server,
    }));
  const keeps = () => sessions.hasAccount(account.key);
  return facts.take(account.key, servers.get(session.server), context.signal, ask, keeps);
}
