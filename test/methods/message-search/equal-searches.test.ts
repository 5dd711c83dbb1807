import { describe, expect, it } from 'vitest';
import { EqualSearches } from '../../../src/methods/message/search/equal-searches.js';
import { BrokerError } from '../../../src/protocol/errors.js';

const whole = () => true;
const waiting = (ms = 60_000, signal = new AbortController().signal) => ({ signal, deadlineAt: Date.now() + ms });

/** Searches that end when they are told to. */
function held() {
  const searches = new EqualSearches<string>();
  const begun: { end(value: string): void; fail(error: unknown): void }[] = [];
  const search = () =>
    new Promise<string>((end, fail) => {
      begun.push({ end, fail });
    });
  const ask = (wait = waiting(), isWhole: (value: string) => boolean = whole) =>
    searches.run('equal', wait, search, isWhole);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { ask, begun, turn };
}

describe('equal searches', () => {
  it('are two at once, and one more for all who come meanwhile', async () => {
    const { ask, begun, turn } = held();
    const asked = Array.from({ length: 32 }, () => ask());
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]?.end('second');
    await turn();
    expect(begun).toHaveLength(3);
    const later = ask();
    begun[0]?.end('first');
    await turn();
    expect(begun).toHaveLength(4);
    begun[2]?.end('third');
    begun[3]?.end('fourth');
    const answers = await Promise.all(asked);
    expect(answers.map(({ value }) => value)).toEqual(['first', 'second', ...Array(30).fill('third')]);
    expect(answers.filter(({ coalesced }) => coalesced)).toHaveLength(29);
    expect(await later).toEqual({ value: 'fourth', coalesced: false });
  });

  it('go on for the others when the request that began one leaves, fails or had too little time', async () => {
    const { ask, begun, turn } = held();
    const first = [ask(), ask()];
    const leaving = new AbortController();
    const left = ask(waiting(60_000, leaving.signal));
    const short = ask(waiting(10));
    const stays = ask();
    await turn();
    leaving.abort(new BrokerError('CANCELLED', 'Gone.'));
    await expect(left).rejects.toMatchObject({ kind: 'CANCELLED' });
    await expect(short).rejects.toMatchObject({ kind: 'DEADLINE' });
    for (const { end } of begun) end('old');
    await Promise.all(first);
    await turn();
    expect(begun).toHaveLength(3);
    begun[2]?.end('new');
    expect((await stays).value).toBe('new');
  });

  it('share what is wrong with the question, and nothing that is wrong with one request', async () => {
    const { ask, begun, turn } = held();
    const first = [ask(), ask()];
    const next = [ask(), ask(), ask()];
    const settled = Promise.allSettled(next);
    for (const { end } of begun.splice(0)) end('old');
    await Promise.all(first);
    await turn();
    begun.shift()?.fail(new BrokerError('SUPERSEDED', 'A newer one.'));
    await turn();
    begun.shift()?.fail(new BrokerError('TOO_LARGE', 'filter: too many.'));
    await turn();
    for (const { end } of begun) end('own');
    const kinds = (await settled).map((one) => (one.status === 'rejected' ? one.reason.kind : one.value.value));
    expect(kinds[0]).toBe('SUPERSEDED');
    expect(kinds).toContain('TOO_LARGE');
  });
});
