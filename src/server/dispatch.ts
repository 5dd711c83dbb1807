import type { z } from 'zod';
import type { Events, Handlers, RequestContext, Services, SessionContext, Streams } from '../methods/context.js';
import { Prepared } from '../methods/support/prepared.js';
import { SessionAccount } from '../methods/support/session-account.js';
import { contract, type MethodName } from '../protocol/contract.js';
import { BrokerError, type Executed } from '../protocol/errors.js';
import type { RequestFrame } from '../protocol/frames.js';
import type { Explanation, Meta } from '../protocol/models.js';
import { accountKey } from '../runtime/account-key.js';
import type { Current } from '../runtime/live.js';
import { Trace } from '../runtime/trace.js';
import { type Session, serverGone } from '../session/session.js';
import type { Tenant } from '../session/tenant.js';
import { withDeadline } from './deadline.js';
import { checkDepth, invalidParams } from './invalid-params.js';
import { type RecordKeepers, RequestRecord } from './request-record.js';

/** The `result` or `error` member of a response, as JSON. */
export interface Answer {
  ok: boolean;
  json: string;
}

/** The caller of a request, and how to stop the request. */
export interface Caller {
  tenant: Tenant;
  /** Id of the caller's socket. */
  socket: string;
  streams: Streams;
  events: Events;
  /** Aborted with a BrokerError as its reason: on cancel, when the socket closes, and here at the deadline. */
  controller: AbortController;
  /** The request uses this session. */
  uses(session: Session): void;
}

export interface DispatchOptions extends RecordKeepers {
  handlers: Handlers;
  services: Services;
  limits: Current<{ defaultTimeoutMs: number; answerBytes: number }>;
  /** Checks every result against the contract: for tests. */
  checkResults?: boolean;
}

/** Answers a request. Never rejects: every failure becomes a wire error here and nowhere else. */
export async function dispatch(frame: RequestFrame, caller: Caller, options: DispatchOptions): Promise<Answer> {
  const { socket, tenant } = caller;
  const record = RequestRecord.begin(frame, { tenant: tenant.name, socket }, options);
  const { answer, outcome, source } = await answerTo(frame, { caller, record, options });
  record.finish(outcome, source);
  return answer;
}

/** A request under way: its caller, what is learned of it, and what answers it. */
interface UnderWay {
  caller: Caller;
  record: RequestRecord;
  options: DispatchOptions;
}

/** An answer with its outcome: `ok`, or the kind of the error. */
interface Answering {
  answer: Answer;
  outcome: string;
  source?: Meta['source'] | undefined;
}

async function answerTo(frame: RequestFrame, request: UnderWay): Promise<Answering> {
  const { caller, record, options } = request;
  const { method } = record;
  try {
    if (!method) throw new BrokerError('METHOD_NOT_FOUND', `There is no method "${frame.method.slice(0, 100)}".`);
    checkScope(method, caller.tenant);
    const { result, explain } = await resultOf(method, frame.params, request);
    const json = resultJson(result, explain);
    if (options.checkResults) contract[method].result.parse(JSON.parse(json));
    checkSize(json, options.limits.now.answerBytes, contract[method].effect === 'write' ? 'yes' : 'no');
    return { answer: { ok: true, json }, outcome: 'ok', source: (result as { meta?: Meta }).meta?.source };
  } catch (failure) {
    const error = toBrokerError(failure, method);
    if (error.kind === 'INTERNAL') record.broken(failure);
    return { answer: { ok: false, json: JSON.stringify(error.toWire()) }, outcome: error.kind };
  }
}

async function resultOf(
  method: MethodName,
  given: Record<string, unknown>,
  request: UnderWay,
): Promise<{ result: object; explain: Explanation | undefined }> {
  const { caller, record, options } = request;
  const { effect, access } = contract[method];
  const params = validated(method, given);
  const timeoutMs = params.timeoutMs ?? options.limits.now.defaultTimeoutMs;
  let handling = false;
  const executed = () => (handling && effect === 'write' ? 'maybe' : 'no');
  if (params.explain) record.trace ??= new Trace();
  if (method === 'session.open') record.concerns(openedBy(caller.tenant, params));
  const result = await withDeadline(
    { timeoutMs, executed, controller: caller.controller },
    async (signal, deadlineAt) => {
      const { tenant, streams, events } = caller;
      const { services } = options;
      const { trace } = record;
      const context: RequestContext = { method, signal, deadlineAt, tenant, streams, events, services, trace };
      // Before anything is waited for: an upload's first frame may be right behind its request.
      if (params.stream !== undefined) streams.accept(params.stream);
      const full = access === 'session' ? await withSession(context, params, request) : context;
      // The caller may have given up while the session was looked up.
      signal.throwIfAborted();
      handling = true;
      const handler = options.handlers[method] as (context: RequestContext, params: unknown) => Promise<object>;
      return handler(full, params);
    },
  );
  return { result, explain: params.explain ? record.explanation() : undefined };
}

/** The key of the account that a session is to be opened for; its credentials are not proven yet. */
function openedBy({ name }: Tenant, { server = '', user = '' }: Reserved): string {
  return accountKey({ tenant: name, server: { name: server }, user });
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
  /** Login name and server of session.open. */
  server?: string;
  user?: string;
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
  { caller, record }: UnderWay,
): Promise<SessionContext> {
  const session = await context.services.sessions.resolve(context.tenant.name, token);
  caller.uses(session);
  checkServer(context, session);
  record.concerns(session.accountKey);
  const { trace } = record;
  const account = new SessionAccount(context.services, session);
  // An answer from memory needs proven credentials as well. session.refresh proves its new ones itself.
  if (contract[context.method].effect !== 'local' && context.method !== 'session.refresh') {
    await account.stand({ label: context.method, signal: context.signal, deadlineAt: context.deadlineAt });
  }
  return { ...context, session, account, trace, slot: slot === undefined ? undefined : `${session.id}/${slot}` };
}

/** Checks the session's server: the configuration may have changed since the session was opened. */
function checkServer({ services, tenant }: RequestContext, { server }: Session): void {
  if (!services.servers.has(server)) throw serverGone();
  if (tenant.servers?.includes(server) !== false) return;
  throw new BrokerError('SERVER_NOT_ALLOWED', `session: this application may not use the IMAP server "${server}".`, {
    field: 'session',
  });
}

function resultJson(result: object | undefined, explain: Explanation | undefined): string {
  if (result === undefined) throw new Error('A handler answered nothing.');
  if (result instanceof Prepared) return result.json(explain);
  // A copy, because other requests may share the result.
  return JSON.stringify(explain ? { ...result, explain } : result);
}

/** @throws BrokerError TOO_LARGE */
function checkSize(json: string, limit: number, executed: Executed): void {
  // A character has three bytes at most, and to count the bytes of a long answer takes time.
  if (json.length * 3 <= limit) return;
  const size = Buffer.byteLength(json);
  if (size <= limit) return;
  const message = `The answer has ${size} bytes, over the limit of ${limit}; ask for less at once.`;
  throw new BrokerError('TOO_LARGE', message, { executed });
}

function toBrokerError(failure: unknown, method: MethodName | undefined): BrokerError {
  if (failure instanceof BrokerError) return failure;
  const executed = method && contract[method].effect === 'write' ? 'maybe' : 'no';
  return new BrokerError('INTERNAL', 'The broker failed; its log has the cause.', { executed });
}
