import { BrokerError } from './errors.js';
import { protocolLimits } from './limits.js';

/** The id of a JSON-RPC request: a string or a whole number. */
export type RequestId = string | number;

/** One JSON-RPC 2.0 message of a caller: a request when it has an id, else a notification. */
export interface RequestFrame {
  id: RequestId | undefined;
  method: string;
  params: Record<string, unknown>;
}

/** Types of binary frames. */
export const StreamFrameType = { DATA: 1, END: 2, ABORT: 3 } as const;
export type StreamFrameType = (typeof StreamFrameType)[keyof typeof StreamFrameType];

/** A binary frame: `u8 type | u32 stream id, big endian | payload`. An ABORT carries its reason as UTF-8 JSON. */
export interface StreamFrame {
  type: StreamFrameType;
  stream: number;
  payload: Uint8Array;
}

const HEADER_BYTES = 5;
/** Header of a WebSocket frame of less than 64 KiB without a mask (RFC 6455 section 5.2). */
const WEBSOCKET_HEADER_BYTES = 4;

/**
 * Bytes of payload in a full frame of a download: with all headers it has 64 KiB, as much as Node reads at a time, so that
 * a reader that keeps up finds the frame in one piece and need not join it.
 */
export const FULL_PAYLOAD_BYTES = 64 * 1024 - HEADER_BYTES - WEBSOCKET_HEADER_BYTES;

/**
 * The bytes of a binary frame.
 * @param memory where to put the bytes, of their exact length
 */
export function encodeStreamFrame(
  type: StreamFrameType,
  stream: number,
  payload?: Uint8Array,
  memory?: Uint8Array,
): Uint8Array {
  const frame = memory ?? new Uint8Array(HEADER_BYTES + (payload?.length ?? 0));
  new DataView(frame.buffer, frame.byteOffset).setUint32(1, stream);
  frame[0] = type;
  if (payload) frame.set(payload, HEADER_BYTES);
  return frame;
}

/**
 * Reads a binary frame. The payload is a view, not a copy.
 * @throws BrokerError INVALID_REQUEST when the frame is too short, of an unknown type or over 64 KiB of payload
 */
export function decodeStreamFrame(bytes: Uint8Array): StreamFrame {
  if (bytes.length < HEADER_BYTES) throw new BrokerError('INVALID_REQUEST', 'A binary frame has at least 5 bytes.');
  const type = bytes[0];
  if (type !== StreamFrameType.DATA && type !== StreamFrameType.END && type !== StreamFrameType.ABORT) {
    throw new BrokerError('INVALID_REQUEST', `Unknown binary frame type ${type}.`);
  }
  const payload = bytes.subarray(HEADER_BYTES);
  if (payload.length > protocolLimits.streamPayloadBytes) {
    throw new BrokerError(
      'INVALID_REQUEST',
      `A binary frame carries at most ${protocolLimits.streamPayloadBytes} bytes of payload.`,
    );
  }
  return { type, stream: new DataView(bytes.buffer, bytes.byteOffset).getUint32(1), payload };
}

/**
 * Reads a text frame as a JSON-RPC 2.0 request or notification.
 * @throws BrokerError PARSE_ERROR or INVALID_REQUEST
 */
export function decodeRequest(text: string): RequestFrame {
  const value = parseJson(text);
  if (Array.isArray(value)) {
    throw new BrokerError('INVALID_REQUEST', 'A frame holds one request: send several frames in place of an array.');
  }
  if (!isObject(value)) throw new BrokerError('INVALID_REQUEST', 'A request is a JSON object.');
  const { jsonrpc, id, method, params } = value;
  if (jsonrpc !== '2.0') throw new BrokerError('INVALID_REQUEST', 'jsonrpc: must be "2.0".', { field: 'jsonrpc' });
  if (typeof method !== 'string') {
    throw new BrokerError('INVALID_REQUEST', 'method: must be a string.', { field: 'method' });
  }
  if (id !== undefined && !isRequestId(id)) {
    throw new BrokerError('INVALID_REQUEST', 'id: must be a whole number or a string of at most 128 characters.', {
      field: 'id',
    });
  }
  if (params !== undefined && !isObject(params)) {
    throw new BrokerError('INVALID_REQUEST', 'params: must be an object with named members.', { field: 'params' });
  }
  return { id, method, params: params ?? {} };
}

/** The id of a frame that could not be accepted, so that even its refusal can be matched; null where there is none. */
export function salvageId(text: string): RequestId | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && isRequestId(value.id) ? value.id : null;
  } catch {
    return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BrokerError('PARSE_ERROR', 'The frame is not valid JSON.', { cause });
  }
}

function isRequestId(id: unknown): id is RequestId {
  return (typeof id === 'string' && id.length <= 128) || (typeof id === 'number' && Number.isSafeInteger(id));
}

/** Whether a value is a JSON object, neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
