import type { CallOptions } from './calls.js';
import type { Areas, SessionAreas } from './generated/areas.js';
import { type MethodName, methods } from './generated/methods.js';

const streaming: ReadonlySet<MethodName> = new Set<MethodName>(['message.part', 'message.source']);

/** Whether the result of a method has bytes, which go to the caller as a web stream. */
export function isStreaming(method: MethodName): boolean {
  return streaming.has(method);
}

/** Methods that the client calls itself, for `watch`: their answers alone are of no use. */
const watching: ReadonlySet<MethodName> = new Set<MethodName>(['watch.start', 'watch.stop', 'events.resume']);

export type Call = (method: MethodName, params: Record<string, unknown>, options?: CallOptions) => Promise<unknown>;

/** The methods of the contract grouped by area, each calling `call`. */
export function buildMethods(call: Call): Areas {
  return build(() => true, call) as unknown as Areas;
}

/** The methods that take a session, each with this one. */
export function buildSessionMethods(session: string, call: Call): SessionAreas {
  const withSession: Call = (method, params, options) => call(method, { session, ...params }, options);
  return build((name) => methods[name].access === 'session', withSession) as unknown as SessionAreas;
}

function build(wanted: (name: MethodName) => boolean, call: Call): Record<string, Record<string, unknown>> {
  const areas: Record<string, Record<string, unknown>> = {};
  for (const name of (Object.keys(methods) as MethodName[]).filter((one) => !watching.has(one) && wanted(one))) {
    const [area = '', verb = ''] = name.split('.');
    areas[area] ??= {};
    areas[area][verb] = (params: Record<string, unknown> = {}, options?: CallOptions) => call(name, params, options);
  }
  return areas;
}
