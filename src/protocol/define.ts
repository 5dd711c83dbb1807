import { z } from 'zod';
import { protocolLimits } from './limits.js';
import { explanation, meta, state } from './models.js';

/** What a caller needs for a method: a socket, or a session too. */
export type Access = 'socket' | 'session';

/** The scope that a method needs; a tenant has the scopes that its configuration names, by default `user` alone. */
export type MethodScope = 'user' | 'admin';

/** `read` may be repeated without harm, `write` changes something at the server, `local` never asks it. */
export type Effect = 'read' | 'write' | 'local';

/** One method of the contract. Everything else (types, validation, client, OpenRPC, docs) follows from it. */
export interface MethodDefinition<
  Name extends string = string,
  Params extends z.ZodObject = z.ZodObject,
  Result extends z.ZodType = z.ZodType,
  A extends Access = Access,
> {
  name: Name;
  summary: string;
  access: A;
  scope: MethodScope;
  effect: Effect;
  params: Params;
  result: Result;
  /** The kinds of errors beyond those that any method can answer. */
  errors: readonly string[];
}

const reserved = {
  timeoutMs: z
    .int()
    .min(1)
    .max(protocolLimits.timeoutMs)
    .optional()
    .describe('Milliseconds from arrival after which the request answers DEADLINE. Default: see broker.hello.'),
};

/** Members of every method that works on the account's mail. */
const scheduling = {
  slot: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('A newer request of the session with the same slot cancels this one while it is queued: SUPERSEDED.'),
  explain: z.boolean().optional().describe('Answers `explain`: what happened to the request, with timings.'),
};

/** Members of every method that reads mail. */
const reading = {
  maxAgeMs: z
    .int()
    .min(0)
    .max(protocolLimits.maxAgeMs)
    .optional()
    .describe(
      'Milliseconds that an answer from memory may be old. Default: 0, the server confirms it during this request.',
    ),
};

const explained = { explain: explanation.optional().describe('Only where it was asked for.') };

const session = { session: z.string().min(1).max(32_768).describe('The token that session.open answered.') };

/** A method that needs a session; its params get `session` and `timeoutMs`. */
export function sessionMethod<Name extends string, P extends z.ZodRawShape, R extends z.ZodType>(definition: {
  name: Name;
  summary: string;
  effect: Effect;
  params: P;
  result: R;
  errors?: readonly string[];
}) {
  const params = z.strictObject({ ...session, ...reserved, ...definition.params });
  return {
    errors: [],
    ...definition,
    access: 'session' as const,
    scope: 'user' as const,
    params,
  } satisfies MethodDefinition;
}

/** A method that reads mail; its params get all reserved members, its result `explain`. */
export function readMethod<Name extends string, P extends z.ZodRawShape, R extends z.ZodRawShape>(definition: {
  name: Name;
  summary: string;
  params: P;
  result: R;
  errors?: readonly string[];
}) {
  const params = { ...scheduling, ...reading, ...definition.params };
  const result = z.object({ ...definition.result, ...explained });
  return sessionMethod({ ...definition, effect: 'read' as const, params, result });
}

/** What a method answers in place of its result where `ifState` names the state that the server still has. */
export const unchanged = z.object({
  unchanged: z.literal(true).describe('The answer that carried the state is still true, word for word.'),
  state,
  meta,
  ...explained,
});

/**
 * A method that reads mail, and whose answers carry a `state`: a caller that has kept an answer sends its state as
 * `ifState`, and gets {@link unchanged} where the answer would be the same.
 */
export function keptMethod<Name extends string, P extends z.ZodRawShape, R extends z.ZodRawShape>(definition: {
  name: Name;
  summary: string;
  params: P;
  result: R;
  errors?: readonly string[];
}) {
  const ifState = state
    .optional()
    .describe(
      'The state of an answer to the same params that the caller has kept: where it would be the same, `{unchanged: true, state, meta}` is answered in its place.',
    );
  const params = { ...scheduling, ...reading, ifState, ...definition.params };
  const result = z.union([z.object({ ...definition.result, ...explained }), unchanged]);
  return sessionMethod({ ...definition, effect: 'read' as const, params, result });
}

/** A method that changes mail; its params get all reserved members but `maxAgeMs`, its result `explain`. */
export function writeMethod<Name extends string, P extends z.ZodRawShape, R extends z.ZodRawShape>(definition: {
  name: Name;
  summary: string;
  params: P;
  result: R;
  errors?: readonly string[];
}) {
  const params = { ...scheduling, ...definition.params };
  const result = z.object({ ...definition.result, ...explained });
  return sessionMethod({ ...definition, effect: 'write' as const, params, result });
}

/** A method for operators, on a socket of an application with the scope `admin`. */
export function adminMethod<Name extends string, P extends z.ZodRawShape, R extends z.ZodType>(definition: {
  name: Name;
  summary: string;
  effect: Effect;
  params: P;
  result: R;
  errors?: readonly string[];
}) {
  return { ...socketMethod(definition), scope: 'admin' as const } satisfies MethodDefinition;
}

/** A method that needs nothing but an authenticated socket. */
export function socketMethod<Name extends string, P extends z.ZodRawShape, R extends z.ZodType>(definition: {
  name: Name;
  summary: string;
  effect: Effect;
  params: P;
  result: R;
  errors?: readonly string[];
}) {
  const params = z.strictObject({ ...reserved, ...definition.params });
  return {
    errors: [],
    ...definition,
    access: 'socket' as const,
    scope: 'user' as const,
    params,
  } satisfies MethodDefinition;
}
