import { z } from 'zod';
import { commonErrors, contract, type MethodName, upstreamErrors } from './contract.js';
import type { MethodDefinition } from './define.js';
import { type ErrorKind, errorTable } from './errors.js';
import { notifications } from './events.js';
import { examples } from './examples/examples.js';
import { closeCodes, subprotocol } from './limits.js';

type Json = Record<string, unknown>;

/** Every kind of error that a method can answer. */
export function errorsOf(definition: MethodDefinition): ErrorKind[] {
  const session = definition.access === 'session' ? ['SESSION_EXPIRED'] : [];
  const upstream = definition.access === 'session' && definition.effect !== 'local' ? upstreamErrors : [];
  return [...new Set([...definition.errors, 'FORBIDDEN', ...session, ...upstream, ...commonErrors])] as ErrorKind[];
}

/** The OpenRPC 1.3 document of the contract. */
export function openRpcDocument(version: string): Json {
  const schemas: Json = {};
  const document = {
    openrpc: '1.3.2',
    info: {
      title: 'imap-broker',
      version,
      description: `JSON-RPC 2.0 over WebSocket, subprotocol ${subprotocol}.`,
      license: { name: 'MIT' },
    },
    methods: Object.values(contract).map((definition) => methodObject(definition, schemas)),
    'x-notifications': Object.entries(notifications).map(([name, { from, summary, params }]) => ({
      name,
      from,
      summary,
      params: jsonSchema(params, schemas),
    })),
    'x-closeCodes': Object.values(closeCodes),
  };
  return { ...document, components: { schemas } };
}

function methodObject(definition: MethodDefinition, schemas: Json): Json {
  return {
    name: definition.name,
    summary: definition.summary,
    paramStructure: 'by-name',
    params: Object.entries(definition.params.shape).map(([name, schema]) => ({
      name,
      required: !z.safeParse(schema as z.ZodType, undefined).success,
      schema: jsonSchema(schema as z.ZodType, schemas),
    })),
    result: { name: 'result', schema: jsonSchema(definition.result, schemas, 'output') },
    errors: uniqueCodes(errorsOf(definition)),
    examples: [exampleOf(definition.name as MethodName)],
    'x-access': definition.access,
    'x-scope': definition.scope,
    'x-effect': definition.effect,
  };
}

/** An example pairing of OpenRPC. */
function exampleOf(name: MethodName): Json {
  const { params, result } = examples[name];
  return {
    name: `An example of ${name}`,
    params: Object.entries(params).map(([param, value]) => ({ name: param, value })),
    result: { name: 'result', value: result },
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

/** A schema. Named schemas, the recursive ones, go to the components of the document and are referred to there. */
function jsonSchema(schema: z.ZodType, schemas: Json, io: 'input' | 'output' = 'input'): Json {
  const text = JSON.stringify(z.toJSONSchema(schema, { io, target: 'draft-07' }));
  const { $schema: _, definitions, ...json } = JSON.parse(text.replaceAll('#/definitions/', '#/components/schemas/'));
  Object.assign(schemas, definitions);
  return json;
}
