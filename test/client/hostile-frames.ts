import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { type HostileFrame, hello } from '../support/hostile-broker.js';

const note = (method: string, params?: unknown): HostileFrame => ({ jsonrpc: '2.0', method, params });
const event = (params: Record<string, unknown>) =>
  note('event', {
    topic: 't',
    epoch: 'e1',
    at: '2026-01-01T00:00:00.000Z',
    mailbox: 'INBOX',
    uidValidity: 1,
    ...params,
  });
const failed = (error: unknown): HostileFrame => ({ jsonrpc: '2.0', id: 1, error });
const data = { kind: 'INTERNAL', executed: 'no' };
const bytes = (...values: number[]) => Uint8Array.from(values);

/** What no broker sends while a client waits for the answer to its first request, with what the error says of it. */
export const nonsense: Record<string, [frame: HostileFrame, complaint: string]> = {
  'half JSON': ['{"jsonrpc":"2.0","id":1,"resu', 'no JSON'],
  'an empty text': ['', 'no JSON'],
  null: ['null', 'no JSON-RPC'],
  'a number': ['7', 'no JSON-RPC'],
  'an array': ['[{"jsonrpc":"2.0","id":1,"result":{}}]', 'no JSON-RPC'],
  'an object of another protocol': ['{"id":1,"result":{}}', 'no JSON-RPC'],
  'an answer without an id': ['{"jsonrpc":"2.0","result":{}}', 'without an id'],
  'an error without an id': [{ jsonrpc: '2.0', id: null, error: { code: 1, message: 'what?', data } }, 'what?'],
  'an id that is a string': ['{"jsonrpc":"2.0","id":"1","result":{}}', 'without an id'],
  'an id that was never asked': ['{"jsonrpc":"2.0","id":77,"result":{}}', 'to no request'],
  'neither result nor error': ['{"jsonrpc":"2.0","id":1}', 'without either'],
  'both result and error': [
    { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '', data } },
    'without either',
  ],
  'a result that is null': ['{"jsonrpc":"2.0","id":1,"result":null}', 'no object'],
  'a result that is an array': ['{"jsonrpc":"2.0","id":1,"result":[]}', 'no object'],
  'an error that is a number': [failed(5), 'an error of a wrong shape'],
  'an error that is null': [failed(null), 'an error of a wrong shape'],
  'an error without data': [failed({ code: 1, message: 'x' }), 'an error of a wrong shape'],
  'an error whose kind is a number': [failed({ code: 1, message: 'x', data: { ...data, kind: 1 } }), 'data: kind'],
  'an error that may be executed perhaps': [
    failed({ code: 1, message: 'x', data: { ...data, executed: 'perhaps' } }),
    'data: executed',
  ],
  'an error to be tried again before': [
    failed({ code: 1, message: 'x', data: { ...data, retryAfterMs: -1 } }),
    'retryAfterMs',
  ],
  'a hello without params': [note('broker.hello'), 'broker.hello of a wrong shape'],
  'a second hello': [hello, 'second hello'],
  'an event without params': [note('event'), 'event of a wrong shape'],
  'an event with a text as its number': [event({ seq: 'x', type: 'reset' }), 'event of a wrong shape: seq'],
  'an event with a negative number': [event({ seq: -1, type: 'reset' }), 'event of a wrong shape: seq'],
  'an event whose messages are a number': [
    event({ seq: 1, type: 'new', messages: 5 }),
    'event of a wrong shape: messages',
  ],
  'an event without a folder': [
    event({ seq: 1, type: 'reset', mailbox: undefined }),
    'event of a wrong shape: mailbox',
  ],
  'an event of an unknown type without a number': [event({ type: 'novelty' }), 'event of a wrong shape: seq'],
  'the end of a watch without a topic': [note('watch.ended', { epoch: 'e1' }), 'watch.ended of a wrong shape'],
  'a trace without params': [note('trace'), 'trace of a wrong shape'],
  'a session that expires without a date': [
    note('session.expiring', { server: 'a', user: 'b' }),
    'session.expiring of',
  ],
  'a drain without params': [note('broker.draining'), 'broker.draining of a wrong shape'],
  'credit of nothing': [note('$/credit', {}), '$/credit of a wrong shape'],
  'credit that is negative': [note('$/credit', { stream: 1, bytes: -5 }), '$/credit of a wrong shape'],
  'credit without end': [
    '{"jsonrpc":"2.0","method":"$/credit","params":{"stream":1,"bytes":1e400}}',
    '$/credit of a wrong',
  ],
  'credit for no stream': [note('$/credit', { stream: 1, bytes: 5 }), 'stream 1, which never was'],
  'credit for a download that never was': [note('$/credit', { stream: 2, bytes: 5 }), 'stream 2, which never was'],
  'an empty binary frame': [bytes(), 'malformed binary frame'],
  'a short binary frame': [bytes(1, 0, 0, 0), 'malformed binary frame'],
  'a binary frame of type 0': [bytes(0, 0, 0, 0, 2), 'malformed binary frame'],
  'a binary frame of type 255': [bytes(255, 0, 0, 0, 2, 1), 'malformed binary frame'],
  'a binary frame that is too long': [
    encodeStreamFrame(StreamFrameType.DATA, 2, new Uint8Array(65_537)),
    'malformed binary frame',
  ],
  'bytes of a stream that never was': [bytes(1, 0, 0, 0, 2, 1), 'stream 2, which never was'],
  'the end of a stream that never was': [bytes(2, 255, 255, 255, 254), 'which never was'],
  'an abort of an upload that never was': [bytes(3, 0, 0, 0, 1), 'stream 1, which never was'],
  'bytes of stream 0': [bytes(1, 0, 0, 0, 0), 'stream 0, which never was'],
};

const position = { topic: 't', epoch: 'e1', seq: 0, mailboxes: [] };

/** Results that are objects and not those of their method. */
export const wrongResults: Array<[method: string, result: Record<string, unknown>]> = [
  ['message.source', {}],
  ['message.source', { size: 1, stream: null, data: null }],
  ['message.source', { size: 1, stream: 2, data: 'YQ==' }],
  ['message.source', { size: 1, stream: '2', data: null }],
  ['message.source', { size: 1, stream: 0, data: null }],
  ['message.source', { size: 1, stream: 1, data: null }],
  ['message.source', { size: 1, stream: -2, data: null }],
  ['message.source', { size: 1, stream: 2.5, data: null }],
  ['message.source', { size: 1, stream: 4_294_967_298, data: null }],
  ['message.source', { size: 1, stream: null, data: '***' }],
  ['message.source', { size: 1, stream: null, data: 7 }],
  ['watch.start', {}],
  ['watch.start', { ...position, seq: -1 }],
  ['watch.start', { ...position, seq: 1e300 }],
  ['watch.start', { ...position, epoch: '' }],
  ['watch.start', { ...position, topic: 5 }],
  ['watch.start', { ...position, mailboxes: [null] }],
  ['watch.start', { ...position, mailboxes: Array(101).fill({ mailbox: 'a', uidValidity: 1, lagMs: 0, state: null }) }],
];
