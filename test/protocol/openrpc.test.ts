import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { contract } from '../../src/protocol/contract.js';
import { openRpcDocument } from '../../src/protocol/openrpc.js';

const require = createRequire(import.meta.url);
const metaSchema: object = require('@open-rpc/meta-schema').default;
const jsonMetaSchema: object = require('@json-schema-tools/meta-schema').default;

function withoutDialect(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema'));
}

describe('the OpenRPC document', () => {
  const document = openRpcDocument('1.2.3') as {
    methods: { name: string; params: { schema: object }[]; result: { schema: object } }[];
    components: object;
  };

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

  it('can be sent as JSON', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});
