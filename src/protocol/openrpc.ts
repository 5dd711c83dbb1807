import { z } from 'zod';
import { commonErrors, contract, sessionErrors } from './contract.js';
import type { MethodDefinition } from './define.js';
import { type ErrorKind, errorTable } from './errors.js';
import { notifications } from './events.js';
import { closeCodes, subprotocol } from './limits.js';

type Json = Record<string, unknown>;

/** Every kind of error that a method can answer. */
export function errorsOf(definition: MethodDefinition): ErrorKind[] {
  const session = definition.access === 'session' ? sessionErrors : [];
  return [...new Set([...definition.errors, ...session, ...commonErrors])] as ErrorKind[];
}

/** The OpenRPC 1.3 document of the contract. */
export function openRpcDocument(version: string): Json {
  return {
    openrpc: '1.3.2',
    info: {
      title: 'imap-broker',
      version,
      description: `JSON-RPC 2.0 over WebSocket, subprotocol ${subprotocol}.`,
      license: { name: 'MIT' },
    },
    methods: Object.values(contract).map(methodObject),
    'x-notifications': Object.entries(notifications).map(([name, { from, summary, params }]) => ({
      name,
      from,
      summary,
      params: jsonSchema(params),
    })),
    'x-closeCodes': Object.values(closeCodes),
  };
}

function methodObject(definition: MethodDefinition): Json {
  return {
    name: definition.name,
    summary: definition.summary,
    paramStructure: 'by-name',
    params: Object.entries(definition.params.shape).map(([name, schema]) => ({
      name,
      required: !z.safeParse(schema as z.ZodType, undefined).success,
      schema: jsonSchema(schema as z.ZodType),
    })),
    result: { name: 'result', schema: jsonSchema(definition.result, 'output') },
    errors: uniqueCodes(errorsOf(definition)),
    'x-access': definition.access,
    'x-effect': definition.effect,
  };
}

/** One entry a code, as the meta-schema wants it: kinds that share a code are told apart by `data.kind`. */
function uniqueCodes(kinds: readonly ErrorKind[]): Json[] {
  const byCode = new Map<number, ErrorKind[]>();
  for (const kind of kinds) {
    const { code } = errorTable[kind];
    byCode.set(code, [...(byCode.get(code) ?? []), kind]);
  }
  return [...byCode].map(([code, names]) => ({
    code,
    message: names.map((name) => `${name}: ${errorTable[name].meaning}`).join(' '),
    data: { kind: names },
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'input'): Json {
  // Recursive schemas refer to themselves by "#": inlined in a larger document that would be its root.
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, target: 'draft-07' }) as Json;
  return json;
}
