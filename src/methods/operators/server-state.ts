import type { Registry } from '../../pool/registry.js';
import type { GateState } from '../../pool/supply/gate.js';
import type { Result } from '../../protocol/contract.js';

type ServerState = Result<'server.list'>['servers'][number]['state'];

/** The word for how a server is, which is the same everywhere. @param gates of the registry */
export function serverState(
  registry: Pick<Registry, 'paused' | 'reachedAt'>,
  gates: ReadonlyMap<string, GateState>,
  name: string,
): ServerState {
  const isWhole = registry.paused.some(
    ({ tenant, server = name, user }) => server === name && tenant === undefined && user === undefined,
  );
  if (isWhole) return 'paused';
  const { state = 'closed', failures = 0 } = gates.get(name) ?? {};
  if (state !== 'closed') return 'backing off';
  if (failures > 0) return 'failing';
  return registry.reachedAt(name) === undefined ? 'untried' : 'reachable';
}
