import type { z } from 'zod';
import type {
  AccountRunner,
  Events,
  Handlers,
  RequestContext,
  Services,
  SessionContext,
  Streams,
} from '../methods/context.js';
import { Prepared } from '../methods/prepared.js';
import { contract, type MethodName } from '../protocol/contract.js';
import { BrokerError, type Executed } from '../protocol/errors.js';
import type { RequestFrame } from '../protocol/frames.js';
import type { Explanation } from '../protocol/models.js';
import type { Listeners } from '../runtime/listeners.js';
import type { Log } from '../runtime/log.js';
import { Trace } from '../runtime/trace.js';
import { refusedBefore } from '../session/proofs.js';
import { type Session, serverGone } from '../session/session.js';
import type { Tenant } from '../session/tenant.js';
import { withDeadline } from './deadline.js';
import { checkDepth, invalidParams } from './invalid-params.js';

/** The `result` or `error` member of a response, as JSON. */
export interface Answer {
  ok: boolean;
  json: string;
}

/** Who asks, and how to stop it. */
export interface Caller {
  tenant: Tenant;
  streams: Streams;
  events: Events;
  /** Is aborted on cancel and when the socket closes, with a BrokerError as its reason; and here at the deadline. */
  controller: AbortController;
  /** The request uses this session. */
  uses(session: Session): void;
}

/** A request that was answered, for those who count. */
export interface Answered {
  /** Undefined where there is no such method. */
  method: MethodName | undefined;
  tenant: string;
  /** The key of the account, where the request has a session. */
  account: string | undefined;
  /** Milliseconds from its arrival. */
  ms: number;
  /** `ok`, or the kind of the error. */
  outcome: string;
}

export interface DispatchOptions {
  handlers: Handlers;
  services: Services;
  limits: { defaultTimeoutMs: number; answerBytes: number };
  log: Log;
  /** Hear of each request once it is answered. */
  answered: Listeners<Answered>;
  /** Holds every result against the contract: for tests. */
  checkResults?: boolean;
}

/** Answers a request. Never rejects: every failure becomes a wire error here and nowhere else. */
export async function dispatch(frame: RequestFrame, from: Caller, options: DispatchOptions): Promise<Answer> {
  const begun = performance.now();
  const method = isMethod(frame.method) ? frame.method : undefined;
  let answer: Answer;
  let outcome = 'ok';
  let account: string | undefined;
  const caller = {
    ...from,
    uses: (session: Session) => {
      account = session.accountKey;
      from.uses(session);
    },
  };
  try {
    if (!method) throw new BrokerError('METHOD_NOT_FOUND', `There is no method "${frame.method.slice(0, 100)}".`);
    checkScope(method, caller.tenant);
    answer = { ok: true, json: await resultOf(method, frame.params, caller, options, begun) };
  } catch (failure) {
    const error = known(failure, method);
    if (error.kind === 'INTERNAL') options.log.error({ err: failure, method }, 'request failed');
    outcome = error.kind;
    answer = { ok: false, json: JSON.stringify(error.toWire()) };
  }
  const ms = Math.round((performance.now() - begun) * 10) / 10;
  const tenant = caller.tenant.name;
  options.log.debug({ method, tenant, ms, outcome }, 'request');
  options.answered.tell({ method, tenant, account, ms, outcome });
  return answer;
}

async function resultOf(
  method: MethodName,
  given: Record<string, unknown>,
  caller: Caller,
  options: DispatchOptions,
  begun: number,
): Promise<string> {
  const { effect, result: schema } = contract[method];
  const params = validated(method, given);
  const timeoutMs = params.timeoutMs ?? options.limits.defaultTimeoutMs;
  const executed = effect === 'write' ? 'maybe' : 'no';
  const trace = params.explain ? new Trace() : undefined;
  const answer = await withDeadline(
    { timeoutMs, executed, controller: caller.controller },
    async (signal, deadlineAt) => {
      const { tenant, streams, events } = caller;
      const { services } = options;
      const context: RequestContext = { method, signal, deadlineAt, tenant, streams, events, services, trace };
      // Before anything is waited for: an upload's first frame may be right behind its request.
      if (params.stream !== undefined) streams.accept(params.stream);
      const full = contract[method].access === 'session' ? await withSession(context, params, caller) : context;
      const handler = options.handlers[method] as (context: RequestContext, params: unknown) => Promise<unknown>;
      return handler(full, params);
    },
  );
  const result = trace ? withExplanation(answer, trace.explanation(performance.now() - begun)) : answer;
  if (options.checkResults) schema.parse(result instanceof Prepared ? JSON.parse(result.json) : result);
  return encoded(result, options.limits.answerBytes, effect === 'write' ? 'yes' : 'no');
}

/** On a copy: others may have the same answer. */
function withExplanation(answer: unknown, explain: Explanation): unknown {
  if (answer instanceof Prepared)
    return new Prepared(`${answer.json.slice(0, -1)},"explain":${JSON.stringify(explain)}}`);
  return { ...(answer as object), explain };
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(contract, name);
}

function checkScope(method: MethodName, { scopes }: Tenant): void {
  const { scope } = contract[method];
  if (scopes.includes(scope)) return;
  throw new BrokerError('FORBIDDEN', `${method} needs the scope "${scope}", which this application does not have.`);
}

/** The members of `params` that concern the dispatcher. */
interface Reserved {
  session?: string;
  timeoutMs?: number;
  stream?: number;
  slot?: string;
  explain?: boolean;
}

function validated(method: MethodName, given: Record<string, unknown>): Reserved {
  checkDepth(given);
  const parsed = (contract[method].params as z.ZodObject).safeParse(given);
  if (!parsed.success) throw invalidParams(parsed.error, given);
  return parsed.data;
}

async function withSession(
  context: RequestContext,
  { session: token = '', slot }: Reserved,
  caller: Caller,
): Promise<SessionContext> {
  const session = await context.services.sessions.resolve(context.tenant.name, token);
  caller.uses(session);
  checkServer(context, session);
  const { accountKey: key } = session;
  // Found when there is work: what needs no connection goes on with credentials that the server refuses now.
  const account: AccountRunner = {
    key,
    get budget() {
      return context.services.registry.get(key)?.budget;
    },
    get slots() {
      return accountOf(context, session).slots;
    },
    run: async (job, work) => accountOf(context, session).run(job, work),
    share: async (key, job, work, options) => accountOf(context, session).share(key, job, work, options),
  };
  return { ...context, session, account, slot: slot === undefined ? undefined : `${session.id}/${slot}` };
}

function accountOf({ services }: RequestContext, session: Session): AccountRunner {
  const { registry, servers, proofs } = services;
  const { accountKey, tenant, user, secret } = session;
  const known = registry.get(accountKey);
  if (known) return known;
  const server = servers.get(session.server);
  if (!server) throw serverGone();
  if (proofs.isWrong(accountKey, secret)) throw refusedBefore(secret);
  return registry.adopt({ tenant, server, user }, { user, ...secret });
}

/** What the configuration said when the session was opened need not be so any more. */
function checkServer({ services, tenant }: RequestContext, { server }: Session): void {
  if (!services.servers.has(server)) throw serverGone();
  if (tenant.servers?.includes(server) !== false) return;
  throw new BrokerError('SERVER_NOT_ALLOWED', `session: this application may not use the IMAP server "${server}".`, {
    field: 'session',
  });
}

function encoded(result: unknown, limit: number, executed: Executed): string {
  const json: string | undefined = result instanceof Prepared ? result.json : JSON.stringify(result);
  if (json === undefined) throw new Error('A handler answered nothing.');
  const size = Buffer.byteLength(json);
  if (size <= limit) return json;
  const message = `The answer has ${size} bytes, over the limit of ${limit}; ask for less at once.`;
  throw new BrokerError('TOO_LARGE', message, { executed });
}

function known(failure: unknown, method: MethodName | undefined): BrokerError {
  if (failure instanceof BrokerError) return failure;
  const executed = method && contract[method].effect === 'write' ? 'maybe' : 'no';
  return new BrokerError('INTERNAL', 'The broker failed; its log has the cause.', { executed });
}
