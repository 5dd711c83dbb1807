import type { z } from 'zod';
import { BrokerError } from '../protocol/errors.js';

/** Deeper params would overflow the stack of the functions that walk them. */
const MOST_LEVELS = 64;
const FIELD_LENGTH = 200;

/**
 * Refuses params that are nested too deeply for the validation itself.
 * @throws BrokerError INVALID_PARAMS
 */
export function checkDepth(params: Record<string, unknown>): void {
  let level: object[] = [params];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) throw new BrokerError('INVALID_PARAMS', `params: at most ${MOST_LEVELS} levels deep`);
    level = level.flatMap((value) => Object.values(value).filter((inner) => typeof inner === 'object' && inner));
  }
}

/** The error of params that do not fit: names the first field that is wrong, and its limit. */
export function invalidParams(error: z.ZodError, params: unknown): BrokerError {
  const { path, problem } = problemOf(error.issues[0], params);
  // Names of unknown fields are the caller's, of any length.
  const field = path.join('.').slice(0, FIELD_LENGTH);
  return new BrokerError('INVALID_PARAMS', field ? `${field}: ${problem}` : problem, field ? { field } : {});
}

interface Problem {
  path: readonly PropertyKey[];
  problem: string;
}

function problemOf(issue: z.core.$ZodIssue | undefined, params: unknown): Problem {
  if (!issue) return { path: [], problem: 'The parameters do not fit.' };
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return { path: [...path, issue.keys[0] ?? ''], problem: 'unknown parameter' };
    case 'invalid_union': {
      const inner = nearestIssue(issue.errors);
      return inner ? problemOf({ ...inner, path: [...path, ...inner.path] }, params) : { path, problem: issue.message };
    }
    case 'too_big':
      return { path, problem: `at most ${issue.maximum} ${unit(issue.origin)}`.trim() };
    case 'too_small':
      return { path, problem: `at least ${issue.minimum} ${unit(issue.origin)}`.trim() };
    case 'invalid_type':
      return { path, problem: valueAt(params, path) === undefined ? 'missing' : `must be ${issue.expected}` };
    default:
      return { path, problem: issue.message };
  }
}

/** The alternative with the fewest issues: most likely the caller meant that one. */
function nearestIssue(alternatives: z.core.$ZodIssue[][]): z.core.$ZodIssue | undefined {
  const [best] = [...alternatives].sort((a, b) => a.length - b.length);
  return best?.[0];
}

function valueAt(params: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], params);
}

function unit(origin: string): string {
  if (origin === 'string') return 'characters';
  return origin === 'array' ? 'elements' : '';
}
