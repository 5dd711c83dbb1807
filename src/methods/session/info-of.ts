import { capabilitiesOf } from '../../imap/capabilities.js';
import { type Namespaces, namespacesOf } from '../../imap/namespaces.js';
import type { Registry } from '../../pool/registry.js';
import type { Result } from '../../protocol/contract.js';
import type { Capabilities } from '../../protocol/methods/session.js';
import { Turns } from '../../runtime/turns.js';
import type { Session } from '../../session/session.js';
import type { AccountRunner, RequestContext } from '../context.js';
import { jobOf } from '../job.js';

interface ServerFacts {
  capabilities: Capabilities;
  namespace: Namespaces;
}

/** What a server offers a user changes when the server is updated: to tell it again soon needs no connection. */
const KNOWN_MS = 600_000;
const MOST_KNOWN = 10_000;
const known = new WeakMap<Registry, Map<string, ServerFacts & { until: number }>>();
const turns = new WeakMap<Registry, Turns>();

/** What session.open and session.info tell of a session. */
export async function infoOf(
  context: RequestContext,
  account: AccountRunner,
  session: Session,
): Promise<Result<'session.info'>> {
  const { capabilities, namespace } = await factsOf(context, account);
  const { connectionsPerAccount, queuePerAccount, appendBytes } = context.services.limits;
  const { appendLimit } = capabilities;
  return {
    server: session.server,
    user: session.user,
    capabilities,
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

/** Asked once for all who open sessions at the same time. */
function factsOf(context: RequestContext, account: AccountRunner): Promise<ServerFacts> {
  const { registry } = context.services;
  const mine = turns.get(registry) ?? new Turns();
  turns.set(registry, mine);
  const asked = () => ask(context, account);
  return mine.take(account.key, context.signal, () => recall(context, account.key), asked);
}

async function ask(context: RequestContext, account: AccountRunner): Promise<ServerFacts> {
  const facts = await account.run(jobOf(context, { effect: 'read' }), async (connection) => ({
    capabilities: capabilitiesOf(connection),
    namespace: namespacesOf(connection),
  }));
  const all = known.get(context.services.registry) ?? new Map();
  known.set(context.services.registry, all);
  all.delete(account.key);
  all.set(account.key, { ...facts, until: Date.now() + KNOWN_MS });
  if (all.size > MOST_KNOWN) all.delete(all.keys().next().value);
  return facts;
}

function recall({ services }: RequestContext, accountKey: string): ServerFacts | undefined {
  const facts = known.get(services.registry)?.get(accountKey);
  return facts && facts.until > Date.now() ? facts : undefined;
}
