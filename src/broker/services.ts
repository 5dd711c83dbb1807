import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ServerOptions } from '../imap/login/server-options.js';
import type { ServiceLimits, Services } from '../methods/context.js';
import type { Operations } from '../methods/operators/operations.js';
import { Idempotency } from '../methods/support/idempotency.js';
import { ServerFacts } from '../methods/support/server-facts.js';
import { defaultPoolLimits } from '../pool/pool-limits.js';
import { Registry } from '../pool/registry.js';
import type { KeptPerAccount } from '../runtime/kept-per-account.js';
import { Live } from '../runtime/live.js';
import type { Log } from '../runtime/log/log.js';
import { Standstill } from '../runtime/standstill.js';
import { version } from '../runtime/version.js';
import { defaultSocketLimits, type SocketLimits } from '../server/limits.js';
import { KeyRing } from '../session/key-ring.js';
import { Proofs } from '../session/proofs.js';
import { Revocations } from '../session/revocations.js';
import { sealText, unsealText } from '../session/seal.js';
import { defaultSessionLimits, SealedSessions } from '../session/sealed-sessions.js';
import type { Sealing } from '../shared/keys.js';
import { Shared } from '../shared/shared.js';
import { defaultViewLimits, Views } from '../view/views.js';
import { Hub } from '../watch/hub.js';
import { watcherOf } from '../watch/watcher.js';
import { operatorViewOf, type SeenBroker } from './operator-view.js';
import { type BrokerOptions, type Changeable, defaultAppendBytes, type SessionFiles } from './options.js';

/** What handlers ask of the broker as a whole, which is put together after its services. */
export interface WholeBroker extends SeenBroker {
  operations: Operations;
}

/** The services of a broker, with what a reload changes in them. */
export interface BrokerServices extends Services {
  sessions: SealedSessions;
  servers: Map<string, ServerOptions>;
  tenantNames: Set<string>;
}

/** The services, and the parts beneath them that the broker itself ends or changes. */
export interface BuiltServices {
  services: BrokerServices;
  shared: Shared | undefined;
  keys: KeyRing;
  standstill: Standstill;
  socketLimits: Live<SocketLimits>;
  serviceLimits: Live<ServiceLimits>;
  /** Drops all that is kept of an account beside its connections. */
  endAccount(accountKey: string): void;
}

/** Makes what the handlers of a broker work with. @throws KeyFileError */
export function buildServices(options: Omit<BrokerOptions, 'listeners'>, whole: WholeBroker): BuiltServices {
  const { log } = options;
  // The files may be unusable: nothing else is begun by then.
  const { keys, revocations } = sessionParts(options.sessionFiles, log);
  const limits = limitsOf(options);
  const socketLimits = new Live(limits.sockets);
  const serviceLimits = new Live(limits.services);
  const standstill = new Standstill();
  const proofs = new Proofs();
  const registry = new Registry(limits.pool, {
    log,
    onRefused: (key, credentials) => proofs.refused(key, credentials),
    onDoubted: (key, credentials) => proofs.doubt(key, credentials),
    beforeWork: () => standstill.check(),
  });
  const shared = options.shared && new Shared(options.shared, sealingBy(keys), log);
  const kept: KeptPerAccount[] = [];
  const endAccount = (accountKey: string) => {
    for (const each of kept) each.endAccount(accountKey);
  };
  const sessions = new SealedSessions({
    keys,
    revocations,
    shared: shared?.ends,
    limits: limits.sessions,
    onAccountEnd: (accountKey) => {
      endAccount(accountKey);
      void registry.close(accountKey);
    },
  });
  shared?.ends.ended.add((ended) => sessions.learn(ended));
  shared?.ends.gaps.add(() => void sessions.lookAgain());
  const views = new Views(limits.views, (accountKey) => sessions.hasAccount(accountKey));
  const epoch = randomBytes(8).toString('hex');
  const startWatcher = options.startWatcher ?? watcherOf(views, options.watchTimes, log);
  const hub = new Hub({ epoch, startWatcher, limits: options.watches ?? {}, log });
  const facts = new ServerFacts();
  const idempotency = new Idempotency({}, shared?.keys);
  const operatorView = operatorViewOf({ registry, whole, socketLimits, settings: options.settings ?? [] });
  kept.push(hub, views, facts, idempotency, operatorView.accountLoads);
  const services: BrokerServices = {
    sessions,
    proofs,
    registry,
    views,
    idempotency,
    facts,
    hub,
    operatorView,
    servers: new Map(options.servers.map((server) => [server.name, server])),
    tenantNames: new Set(options.tenants.map(({ name }) => name)),
    version,
    shared,
    name: options.name ?? hostname(),
    epoch,
    limits: serviceLimits,
    operations: whole.operations,
    log,
  };
  return { services, shared, keys, standstill, socketLimits, serviceLimits, endAccount };
}

/** All limits of a configuration, with the defaults of those that it leaves out. */
export function limitsOf({
  appendBytes = defaultAppendBytes,
  ...given
}: Omit<Changeable, 'tenants' | 'servers' | 'listeners'>) {
  const pool = { ...defaultPoolLimits, ...given.pool };
  const { connectionsPerAccount, queuePerAccount } = pool;
  const services: ServiceLimits = { appendBytes, connectionsPerAccount, queuePerAccount };
  return {
    pool,
    services,
    sockets: { ...defaultSocketLimits, ...given.sockets },
    sessions: { ...defaultSessionLimits, ...given.sessions },
    views: { ...defaultViewLimits, ...given.views },
  };
}

function sealingBy(keys: KeyRing): Sealing {
  return {
    seal: (text) => sealText(keys.newest, text),
    unseal: async (sealed) => (await unsealText(keys, sealed))?.text,
  };
}

function sessionParts(files: SessionFiles | undefined, log: Log): { keys: KeyRing; revocations: Revocations } {
  if (!files) return { keys: KeyRing.ephemeral(), revocations: new Revocations() };
  const keys = KeyRing.ofFile(files.keyFile, { create: files.createKeys });
  const onTrouble = (err: unknown) => {
    if (err) log.error({ err }, 'cannot write the list of ended sessions; what ends now is in memory alone');
    else log.info('the list of ended sessions is written again');
  };
  return { keys, revocations: new Revocations(files.revocationsFile, { onTrouble }) };
}
