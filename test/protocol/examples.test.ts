import { describe, expect, it } from 'vitest';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import { examples } from '../../src/protocol/examples/examples.js';

describe('the examples of the documents', () => {
  it.each(Object.keys(contract) as MethodName[])(
    'of %s are a request that is taken, and an answer as it is sent',
    (name) => {
      const { params, result } = examples[name];
      expect(contract[name].params.safeParse(params).error).toBeUndefined();
      const parsed = contract[name].result.safeParse(result);
      expect(parsed.error).toBeUndefined();
      // Members that the contract does not have would have been left out.
      if (name !== 'rpc.discover') expect(parsed.data).toEqual(result);
    },
  );
});
