import type { z } from 'zod';
import type { Handlers, RequestContext, Services, SessionContext, Streams } from '../methods/context.js';
import { contract, type MethodName } from '../protocol/contract.js';
import { BrokerError, type Executed, type WireError } from '../protocol/errors.js';
import type { RequestFrame } from '../protocol/frames.js';
import type { Log } from '../runtime/log.js';
import type { Tenant } from '../session/tenant.js';
import { invalidParams } from './invalid-params.js';

export type Answer = { result: unknown } | { error: WireError };

/** Who asks, and how to stop it. */
export interface Caller {
  tenant: Tenant;
  streams: Streams;
  /** Aborts on cancel and when the socket closes; its reason is a BrokerError. */
  signal: AbortSignal;
}

export interface DispatchOptions {
  handlers: Handlers;
  services: Services;
  defaultTimeoutMs: number;
  log: Log;
}

/** Answers a request. Never rejects: every failure becomes a wire error here and nowhere else. */
export async function dispatch(frame: RequestFrame, caller: Caller, options: DispatchOptions): Promise<Answer> {
  const begun = performance.now();
  let answer: Answer;
  let outcome = 'ok';
  try {
    answer = { result: await answerOf(frame, caller, options) };
  } catch (failure) {
    const error = wireError(frame, failure, options.log);
    outcome = error.data.kind;
    answer = { error };
  }
  const ms = Math.round((performance.now() - begun) * 10) / 10;
  options.log.debug({ method: frame.method, tenant: caller.tenant.name, ms, outcome }, 'request');
  return answer;
}

async function answerOf(frame: RequestFrame, caller: Caller, options: DispatchOptions): Promise<unknown> {
  const { method } = frame;
  if (!isMethod(method)) throw new BrokerError('METHOD_NOT_FOUND', `There is no method "${method.slice(0, 100)}".`);
  const definition = contract[method];
  const parsed = (definition.params as z.ZodObject).safeParse(frame.params);
  if (!parsed.success) throw invalidParams(parsed.error);
  const params = parsed.data as { session?: string; timeoutMs?: number };
  const timeoutMs = params.timeoutMs ?? options.defaultTimeoutMs;
  const executed = definition.effect === 'write' ? 'maybe' : 'no';
  return withDeadline(timeoutMs, executed, caller.signal, (signal, deadlineAt) => {
    const { tenant, streams } = caller;
    const context: RequestContext = { method, signal, deadlineAt, tenant, streams, services: options.services };
    const full = definition.access === 'session' ? withSession(context, params.session ?? '') : context;
    const handler = options.handlers[method] as (context: RequestContext, params: unknown) => Promise<unknown>;
    return handler(full, params);
  });
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(contract, name);
}

function withSession(context: RequestContext, token: string): SessionContext {
  const session = context.services.sessions.resolve(context.tenant.name, token);
  const account = context.services.registry.get(session.accountKey);
  if (!account) throw new BrokerError('SESSION_EXPIRED', 'session: its account was closed; open a new one.');
  return { ...context, session, account };
}

/** Runs work that is answered in time even if it does not heed its signal. */
async function withDeadline<T>(
  timeoutMs: number,
  executed: Executed,
  outer: AbortSignal,
  work: (signal: AbortSignal, deadlineAt: number) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const forward = () => controller.abort(outer.reason);
  const late = () => controller.abort(new BrokerError('DEADLINE', `No answer within ${timeoutMs} ms.`));
  const timer = setTimeout(late, timeoutMs);
  outer.addEventListener('abort', forward);
  if (outer.aborted) forward();
  const aborted = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => {
      // What heeds the signal knows better what was executed, so it has a turn to say so.
      setImmediate(() => reject((controller.signal.reason as BrokerError).withExecuted(executed)));
    });
  });
  aborted.catch(() => {});
  try {
    // Begun in this very tick: an upload must be accepted before its first frame, which may be right behind.
    const working = (async () => {
      controller.signal.throwIfAborted();
      return work(controller.signal, Date.now() + timeoutMs);
    })();
    working.catch(() => {});
    return await Promise.race([working, aborted]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', forward);
  }
}

function wireError(frame: RequestFrame, failure: unknown, log: Log): WireError {
  const write = isMethod(frame.method) && contract[frame.method].effect === 'write';
  if (failure instanceof BrokerError) {
    if (failure.kind === 'INTERNAL') log.error({ err: failure, method: frame.method }, 'request failed');
    return failure.toWire();
  }
  log.error({ err: failure, method: frame.method }, 'request failed');
  const executed = write ? 'maybe' : 'no';
  return new BrokerError('INTERNAL', 'The broker failed; its log has the cause.', { executed }).toWire();
}
