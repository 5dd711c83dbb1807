import type { z } from 'zod';
import { BrokerError } from '../protocol/errors.js';

/** The error of params that do not fit: names the first field that is wrong, and its limit. */
export function invalidParams(error: z.ZodError): BrokerError {
  const { field, problem } = explain(error.issues[0]);
  return new BrokerError('INVALID_PARAMS', field ? `${field}: ${problem}` : problem, field ? { field } : {});
}

function explain(issue: z.core.$ZodIssue | undefined): { field: string; problem: string } {
  if (!issue) return { field: '', problem: 'The parameters do not fit.' };
  const field = issue.path.join('.');
  switch (issue.code) {
    case 'unrecognized_keys': {
      const name = [...issue.path, issue.keys[0]].join('.');
      return { field: name, problem: 'unknown parameter' };
    }
    case 'invalid_union': {
      const inner = issue.errors.flat()[0];
      return inner ? explain({ ...inner, path: [...issue.path, ...inner.path] }) : { field, problem: issue.message };
    }
    case 'too_big':
      return { field, problem: `at most ${issue.maximum} ${unit(issue.origin)}`.trim() };
    case 'too_small':
      return { field, problem: `at least ${issue.minimum} ${unit(issue.origin)}`.trim() };
    case 'invalid_type':
      return {
        field,
        problem: issue.input === undefined ? `missing, or not ${issue.expected}` : `must be ${issue.expected}`,
      };
    default:
      return { field, problem: issue.message };
  }
}

function unit(origin: string): string {
  if (origin === 'string') return 'characters';
  return origin === 'array' ? 'elements' : '';
}
