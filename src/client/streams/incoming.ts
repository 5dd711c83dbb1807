import type { WireError } from '../../protocol/errors.js';
import { decodeStreamFrame, isObject, type StreamFrame } from '../../protocol/frames.js';
import type { Hello, SessionExpiring, TraceEvent, WatchEnded, WatchEvent } from '../generated/events.js';
import { isNotification, wrongError, wrongNotification } from './received.js';

/** The broker sent what the protocol does not have; the message completes "the broker sent". Its socket is of no use any more. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** An answer to a request. */
export type Answer = { id: number } & ({ result: Record<string, unknown> } | { error: WireError });

/** A notification that concerns a client. */
export type Notification =
  | { notification: 'broker.hello'; params: Hello }
  | { notification: 'broker.draining'; params: unknown }
  | { notification: 'session.expiring'; params: SessionExpiring }
  | { notification: 'event'; params: WatchEvent }
  | { notification: 'watch.ended'; params: WatchEnded }
  | { notification: 'trace'; params: TraceEvent }
  | { notification: '$/credit'; params: { stream: number; bytes: number } };

/**
 * Reads a text frame. Answers undefined for a notification that this client does not know.
 * @throws Violation
 */
export function readText(text: string): Answer | Notification | undefined {
  const frame = parseJson(text);
  if (!isObject(frame) || frame.jsonrpc !== '2.0') throw new Violation('a text frame that is no JSON-RPC 2.0 message');
  return typeof frame.method === 'string' ? readNotification(frame.method, frame.params) : readAnswer(frame);
}

/**
 * Reads a binary frame.
 * @throws Violation
 */
export function readBinary(bytes: Uint8Array): StreamFrame {
  try {
    return decodeStreamFrame(bytes);
  } catch (error) {
    throw new Violation(`a malformed binary frame: ${(error as Error).message}`);
  }
}

/** @throws Violation where there is a complaint */
export function refuseFrame(what: string, complaint: string | undefined): void {
  if (complaint !== undefined) throw new Violation(`${what} of a wrong shape: ${complaint}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Violation('a text frame that is no JSON');
  }
}

function readAnswer({ id, result, error }: Record<string, unknown>): Answer {
  if ((error === undefined) === (result === undefined))
    throw new Violation('an answer without either a result or an error');
  if (error !== undefined) refuseFrame('an error', wrongError(error));
  const failure = error as WireError | undefined;
  if (typeof id !== 'number') throw new Violation(`an answer without an id: ${failure?.message ?? 'a result'}`);
  if (failure) return { id, error: failure };
  if (!isObject(result)) throw new Violation('a result that is no object');
  return { id, result };
}

function readNotification(name: string, params: unknown): Notification | undefined {
  if (!isNotification(name)) return undefined;
  refuseFrame(name, wrongNotification(name, params));
  return { notification: name, params } as Notification;
}
