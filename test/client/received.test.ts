import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { wrongNotification, wrongResult } from '../../src/client/streams/received.js';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import { notifications } from '../../src/protocol/events.js';
import { examples } from '../../src/protocol/examples/examples.js';

type Schema = z.core.JSONSchema.JSONSchema;

/** Any value that a schema of the contract describes. Optional members are there or missing. */
function anyValue(schema: Schema): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...(schema.enum as unknown[]));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => anyValue(choice as Schema)));
  const { type } = schema as { type?: string | string[] };
  if (Array.isArray(type)) return fc.oneof(...type.map((one) => anyValue({ ...schema, type: one } as Schema)));
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.maxSafeInteger().map((value) => bounded(value, schema));
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => bounded(value, schema));
    case 'string':
      return textOf(schema);
    case 'array':
      return arrayOf(schema);
    case 'object':
      return objectOf(schema);
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

function bounded(value: number, { minimum = -Infinity, maximum = Infinity }: Schema): number {
  return Math.min(Math.max(value, minimum), maximum);
}

function textOf({ pattern, minLength = 0, maxLength = 300 }: Schema): Arbitrary<string> {
  if (pattern === undefined) return fc.string({ unit: 'binary', minLength, maxLength });
  return fc.stringMatching(new RegExp(pattern)).filter(({ length }) => length >= minLength && length <= maxLength);
}

/** A few members, or as many as there may be. */
function arrayOf({ items, minItems = 0, maxItems = 20 }: Schema): Arbitrary<unknown[]> {
  const item = anyValue(items as Schema);
  const full = item.map((one) => Array(maxItems).fill(one));
  return fc.oneof({ weight: 9, arbitrary: fc.array(item, { minLength: minItems, maxLength: 3 }) }, full);
}

function objectOf({ properties = {}, required = [] }: Schema): Arbitrary<object> {
  const members = Object.entries(properties).map(([name, member]) => [name, anyValue(member as Schema)]);
  return fc.record(Object.fromEntries(members), { requiredKeys: required as never[] });
}

const anyOf = (schema: z.ZodType) => anyValue(z.toJSONSchema(schema, { io: 'output', reused: 'inline' }));

const acted = ['watch.start', 'events.resume', 'message.part', 'message.source'] as const satisfies MethodName[];
/** Bytes come by a stream or in the answer, which the type of the result does not say. */
const isCarried = (result: unknown) => {
  const { stream, data } = result as { stream?: unknown; data?: unknown };
  return stream === undefined || (stream === null) !== (data === null);
};

describe('the client takes', () => {
  it.each(Object.keys(examples) as MethodName[])('the example of an answer to %s', (method) => {
    expect(wrongResult(method, examples[method].result)).toBeUndefined();
  });

  it.each(acted)('whatever the contract describes as an answer to %s', (method) => {
    const results = anyOf(contract[method].result).filter(isCarried);
    fc.assert(fc.property(results, (result) => wrongResult(method, result) === undefined));
  });

  it.each(Object.entries(notifications).filter(([, { from }]) => from === 'broker'))(
    'whatever the contract describes as %s',
    (name, { params }) => {
      fc.assert(fc.property(anyOf(params), (value) => wrongNotification(name, value) === undefined));
    },
  );

  it('no answer and no notification without its members', () => {
    for (const method of acted) expect(wrongResult(method, {})).toBeDefined();
    for (const [name, { from }] of Object.entries(notifications)) {
      if (from === 'broker') expect(wrongNotification(name, {})).toBeDefined();
    }
  });
});
