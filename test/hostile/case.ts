import type { MethodName, Result } from '../../src/protocol/contract.js';
import type { ErrorKind, WireError } from '../../src/protocol/errors.js';
import type { LogLine } from '../support/hostile-arena.js';
import type { HostileServer, Hostility } from '../support/hostile-imap.js';

/** How a request may end: with a result, or with an error of a kind. */
export type Ending = 'result' | ErrorKind;

/** The results of the requests of a case so far, that of `session.open` first; `undefined` for errors. */
export type Earlier = readonly (Record<string, unknown> | undefined)[];

/** One request of the user of a hostile server. */
export type Step = { [M in MethodName]: StepOf<M> }[MethodName];

export interface StepOf<M extends MethodName> {
  method: M;
  /** Beside the session. */
  params?: Record<string, unknown> | ((earlier: Earlier) => Record<string, unknown>);
  /** How it may end. Default: with a result. */
  ends?: readonly Ending[];
  /** Throws where the result is not what it should be. */
  result?: (result: Result<M>) => void;
  /** Throws where the error is not what it should be. */
  error?: (error: WireError) => void;
  /** Its deadline. Default 10 s. */
  timeoutMs?: number;
  /** So many times, one after the other. Default once. */
  times?: number;
}

/** What is there to look at when the requests of a case have been answered. */
export interface Aftermath {
  server: HostileServer;
  /** Lines that the broker logged meanwhile. */
  log: LogLine[];
}

/** One way of an IMAP server, or of a mail that it holds, to harm the broker; or an honest answer of great size. */
export interface HostileCase {
  /** The name of its server at the broker. */
  name: string;
  /** For readers of tables. */
  about: string;
  server: Hostility;
  /** How `session.open` may end. Default: with a result. */
  login?: readonly Ending[];
  loginError?: (error: WireError) => void;
  steps: readonly Step[];
  /** A command that the server must have received before the case is over. */
  until?: string;
  /** Throws where something else is not as it should be. */
  after?: (seen: Aftermath) => void;
}

/** The password of the users of hostile servers. */
export const PASSWORD = 'correct-horse-battery';

/** Makes something large when it is needed first, and only then. */
export function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
