import type { Answer, MethodName, ParamsIn } from '../contract.js';

/** A request and its answer, as a reader of the documents sees them. */
export type Examples<M extends MethodName> = { [N in M]: { params: ParamsIn<N>; result: Answer<N> } };

/** A session token, shortened. */
export const session = 'eyJhbGciOiJkaXIi…';

/** Where the answers of these examples come from. */
export const meta = { asOf: '2026-11-29T06:46:37.240Z', source: 'server' } as const;
