import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { contract } from '../../src/protocol/contract.js';
import { openRpcDocument } from '../../src/protocol/openrpc.js';
import { version } from '../../src/runtime/version.js';

const require = createRequire(import.meta.url);
const metaSchema: object = require('@open-rpc/meta-schema').default;
const jsonMetaSchema: object = require('@json-schema-tools/meta-schema').default;

interface Document {
  methods: {
    name: string;
    params: { name: string; required: boolean; schema: object }[];
    result: { schema: object };
    examples: { params: { name: string; value: unknown }[]; result: { value: unknown } }[];
  }[];
  components: object;
}

const file = new URL('../../docs/openrpc.json', import.meta.url);

function withoutDialect(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema'));
}

describe('the OpenRPC document', () => {
  const document = openRpcDocument(version) as unknown as Document;

  it('is valid by the official meta-schema', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    // Both name a dialect of their own that Ajv does not know; it is draft-07 in all that they use.
    const addresses = ['https://meta.json-schema.tools/', 'https://meta.json-schema.tools'];
    for (const $id of addresses) ajv.addSchema({ ...withoutDialect(jsonMetaSchema), $id });
    const validate = ajv.compile(withoutDialect(metaSchema));
    validate(document);
    expect(validate.errors).toBeNull();
  });

  it('has every method of the contract, with schemas whose references resolve in the document', () => {
    expect(document.methods.map(({ name }) => name).sort()).toEqual(Object.keys(contract).sort());
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const { name, params, result } of document.methods) {
      for (const { schema } of [...params, { schema: result.schema }]) {
        expect(() => ajv.compile({ ...schema, components: document.components }), name).not.toThrow();
      }
    }
  });

  it('has an example of each method, which the schemas of the method take', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const errorsOf = (schema: object, value: unknown) => {
      const validate = ajv.compile({ ...schema, components: document.components });
      validate(value);
      return validate.errors ?? [];
    };
    for (const { name, params, result, examples } of document.methods) {
      expect(examples.length, name).toBeGreaterThan(0);
      for (const example of examples) {
        const given = new Map(example.params.map((param) => [param.name, param.value]));
        for (const param of params) {
          if (given.has(param.name)) expect(errorsOf(param.schema, given.get(param.name)), name).toEqual([]);
          else expect(param.required, `${name}: ${param.name}`).toBe(false);
          given.delete(param.name);
        }
        expect([...given.keys()], name).toEqual([]);
        expect(errorsOf(result.schema, example.result.value), name).toEqual([]);
      }
    }
  });

  it('can be sent as JSON', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it('is docs/openrpc.json; `npm run docs` writes that file anew', () => {
    const wanted = `${JSON.stringify(document, undefined, 2)}\n`;
    if (process.env.UPDATE_DOCS === '1') writeFileSync(file, wanted);
    else expect(readFileSync(file, 'utf8')).toBe(wanted);
  });
});
