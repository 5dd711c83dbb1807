import { type Answer, contract, type MethodName, type ParamsIn, type Result } from '../protocol/contract.js';

/** What every call takes beside its parameters. */
export interface CallOptions {
  /** Cancels the request; it rejects with a CancelledError. */
  signal?: AbortSignal;
}

/** A message to append: its bytes, or a stream of them with its size. */
export type AppendContent =
  | { content: string | Uint8Array<ArrayBuffer> | Blob }
  | { content: ReadableStream<Uint8Array>; size: number };

type Streaming = 'message.part' | 'message.source';
const streaming: ReadonlySet<MethodName> = new Set<Streaming>(['message.part', 'message.source']);

/** Whether the result of a method has bytes, which go to the caller as a web stream. */
export function isStreaming(method: MethodName): boolean {
  return streaming.has(method);
}

/** Parameters of a method as the client takes them. */
export type CallParams<M extends MethodName> = M extends 'message.append'
  ? Omit<ParamsIn<M>, 'data' | 'stream' | 'size'> & AppendContent
  : ParamsIn<M>;

/** Answers of a method as the client gives them: bytes come as a web stream, however they travelled. */
export type CallResult<M extends MethodName> = M extends Streaming
  ? Omit<Result<M>, 'stream' | 'data'> & { body: ReadableStream<Uint8Array> }
  : Result<M>;

/** Methods that the client calls itself, for `watch`: their answers alone are of no use. */
type Watching = 'watch.start' | 'watch.stop' | 'events.resume';
type Plain = Exclude<MethodName, Watching>;
const watching: ReadonlySet<MethodName> = new Set<Watching>(['watch.start', 'watch.stop', 'events.resume']);

/** A call of a method: one that sends `ifState` may be answered that nothing has changed. */
type Caller<M extends MethodName, P> = 'ifState' extends keyof P
  ? {
      (...args: [...Optional<Omit<P, 'ifState'> & { ifState?: undefined }>, options?: CallOptions]): Promise<Result<M>>;
      (...args: [...Optional<P>, options?: CallOptions]): Promise<Answer<M>>;
    }
  : (...args: [...Optional<P>, options?: CallOptions]) => Promise<CallResult<M>>;

type Area = Plain extends infer N ? (N extends `${infer A}.${string}` ? A : never) : never;
type NamesOf<A extends Area> = Extract<Plain, `${A}.${string}`>;
type Verb<N extends string> = N extends `${string}.${infer V}` ? V : never;
type Optional<P> = Record<never, never> extends P ? [params?: P] : [params: P];

/** Every method of the contract but those of watches: `client.message.list(params, options)`. */
export type Methods = {
  [A in Area]: {
    [N in NamesOf<A> as Verb<N>]: Caller<N, CallParams<N>>;
  };
};

type Sessionless<P> = P extends { session: string } ? Omit<P, 'session'> : never;
type WithSession = { [N in Plain]: CallParams<N> extends { session: string } ? N : never }[Plain];
type SessionArea = { [A in Area]: [Extract<NamesOf<A>, WithSession>] extends [never] ? never : A }[Area];

/** The methods that take a session, with the session filled in. */
export type SessionMethods = {
  [A in SessionArea]: {
    [N in Extract<NamesOf<A>, WithSession> as Verb<N>]: Caller<N, Sessionless<CallParams<N>>>;
  };
};

export type Call = (method: MethodName, params: Record<string, unknown>, options?: CallOptions) => Promise<unknown>;

/** The methods of the contract grouped by area, each calling `call`. */
export function buildMethods(call: Call): Methods {
  return build(() => true, call) as unknown as Methods;
}

/** The methods that take a session, each with this one. */
export function buildSessionMethods(session: string, call: Call): SessionMethods {
  const withSession: Call = (method, params, options) => call(method, { session, ...params }, options);
  return build((name) => contract[name].access === 'session', withSession) as unknown as SessionMethods;
}

function build(wanted: (name: MethodName) => boolean, call: Call): Record<string, Record<string, unknown>> {
  const areas: Record<string, Record<string, unknown>> = {};
  for (const name of (Object.keys(contract) as MethodName[]).filter((one) => !watching.has(one) && wanted(one))) {
    const [area = '', verb = ''] = name.split('.');
    areas[area] ??= {};
    areas[area][verb] = (params: Record<string, unknown> = {}, options?: CallOptions) => call(name, params, options);
  }
  return areas;
}
