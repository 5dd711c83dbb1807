import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Client, createClient, RpcError } from '../../src/client/index.js';
import { notifications } from '../../src/protocol/events.js';
import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { HostileBroker, type HostileFrame, hello } from '../support/hostile-broker.js';
import { expectNoWarnings } from './hostile-client.js';
import { nonsense } from './hostile-frames.js';

expectNoWarnings();

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(-1, 0, 1, 2, 3, 1e300, '', 'e1', 't', null),
);
const bytes = fc.uint8Array({ maxLength: 40 });
const binary = fc
  .tuple(fc.nat({ max: 4 }), fc.nat({ max: 6 }), bytes)
  .map(([type, stream, rest]) => Uint8Array.of(type, 0, 0, 0, stream, ...rest));

/** Members of frames that the client knows, each of them right or wrong. */
const members = fc.record(
  {
    ...{ topic: odd, epoch: odd, seq: odd, mailbox: odd, at: odd, messages: odd, uids: odd, mailboxes: odd },
    ...{ stream: odd, bytes: odd, data: odd, size: odd, missing: odd, resync: odd, replayed: odd, heartbeatMs: odd },
    ...{ kind: odd, executed: odd, retryAfterMs: odd, message: odd, code: odd, uidValidity: odd },
    type: fc.constantFrom('new', 'changed', 'vanished', 'counts', 'reset', 'novelty'),
  },
  { requiredKeys: [] },
);
const event = members.map((wrong) => ({
  jsonrpc: '2.0',
  method: 'event',
  params: { topic: 't', epoch: 'e1', seq: 1, mailbox: 'INBOX', at: '2026-01-01T00:00:00.000Z', ...wrong },
}));
const message = fc.record(
  {
    id: fc.oneof(fc.nat({ max: 6 }), odd),
    method: fc.constantFrom(...Object.keys(notifications), 'novelty'),
    params: fc.oneof(members, odd),
    result: fc.oneof(members, odd),
    error: fc.oneof(members, fc.record({ code: odd, message: fc.string(), data: members }), odd),
  },
  { requiredKeys: [] },
);
const frame: fc.Arbitrary<HostileFrame> = fc.oneof(
  fc.constantFrom(...Object.values(nonsense).map(([one]) => one)),
  fc.constantFrom<HostileFrame>(
    hello,
    { jsonrpc: '2.0', method: 'broker.draining', params: { graceMs: 1 } },
    { jsonrpc: '2.0', method: 'watch.ended', params: { epoch: 'e1', topic: 't' } },
    { jsonrpc: '2.0', method: '$/credit', params: { stream: 1, bytes: 1_073_741_824 } },
    encodeStreamFrame(StreamFrameType.DATA, 2, new Uint8Array(65_536)),
  ),
  message.map((one) => ({ jsonrpc: '2.0', ...one })),
  event,
  fc.string(),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  bytes,
  binary,
);

/** What the broker does at one of its moments, a new socket or a request, before it is honest about it. */
const act = fc.record({
  frames: fc.array(frame, { maxLength: 4 }),
  ending: fc.constantFrom('answers', 'answers', 'answers', 'cuts', 'closes', 'speaks no WebSocket'),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

/** Plays the acts in turn, and is honest from then on. */
async function perform(acts: Act[]): Promise<HostileBroker> {
  const broker = await HostileBroker.start();
  const left = [...acts];
  broker.onConnect = (socket) => {
    const next = left.shift();
    const [first, ...rest] = next?.frames ?? [];
    socket.send(...(first === undefined ? [] : [first]), hello, ...rest);
  };
  broker.onRequest = (request, socket) => {
    const { frames, ending } = left.shift() ?? { frames: [], ending: 'answers' };
    const answer = request.id === undefined ? [] : socket.honest(request);
    socket.send(...frames, ...(ending === 'answers' ? answer : []));
    if (ending === 'cuts') socket.ws.terminate();
    if (ending === 'closes') socket.ws.close(1013);
    if (ending === 'speaks no WebSocket') socket.sendRaw(Uint8Array.of(0xf1, 1, 2, 3));
  };
  return broker;
}

/** Everything that a client can do, at once. What is read of downloads ends with the client at the latest. */
function everything(client: Client) {
  const session = 's';
  const timeoutMs = 2000;
  const folder = { session, mailbox: 'INBOX', timeoutMs };
  const bodies: Promise<unknown>[] = [];
  const read = async () => {
    const { body } = await client.message.source({ ...folder, uidValidity: 1, uid: 1 });
    const reading = async () => {
      for await (const chunk of body) expect(chunk.length).toBeGreaterThan(0);
    };
    bodies.push(reading());
  };
  const content = () => new Blob([new Uint8Array(300_000)]).stream();
  const watch = { ...folder, mailboxes: ['INBOX'], onEvent: () => {}, onResync: () => {} };
  const calls: Promise<unknown>[] = [
    client.broker.ping({ timeoutMs }),
    client.mailbox.create(folder),
    read(),
    read(),
    client.message.append({ ...folder, content: content(), size: 300_000 }),
    client.watch(watch),
    client.broker.ping({ timeoutMs }, { signal: AbortSignal.abort() }),
  ];
  return { calls, bodies };
}

async function failures(promises: Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
}

describe('whatever a broker sends, the client', () => {
  it('settles each call with a result or an RpcError, and is served by the next honest socket', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 5 }), async (acts) => {
        const broker = await perform(acts);
        const client = createClient({ url: broker.url, token: 'good' });
        const { calls, bodies } = everything(client);
        for (const reason of await failures(calls)) expect(reason).toBeInstanceOf(RpcError);
        broker.reform();
        expect(await client.broker.ping()).toBeDefined();
        client.close();
        for (const reason of await failures(bodies)) expect(reason).toBeInstanceOf(RpcError);
        await broker.stop();
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
