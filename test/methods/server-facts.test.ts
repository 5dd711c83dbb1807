import { describe, expect, it, vi } from 'vitest';
import { type Facts, ServerFacts } from '../../src/methods/support/server-facts.js';
import { upstream } from '../support/upstream.js';

const facts = { capabilities: { move: true }, namespace: { personal: [] } } as unknown as Facts;
const [here, moved] = [upstream('main', 1), upstream('main', 2)];
const { signal } = new AbortController();

function asked(server = here, keeps = () => true) {
  const all = new ServerFacts();
  const ask = vi.fn(async () => ({ facts, server }));
  return { all, ask, take: (at = here) => all.take('anna', at, signal, ask, keeps) };
}

describe('what a server offers a user', () => {
  it('is asked once for all who want to know, and told again without a question', async () => {
    const { ask, take } = asked();
    expect(await Promise.all([take(), take()])).toEqual([facts, facts]);
    expect(await take()).toBe(facts);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('is asked anew of a server that was moved, also when the old one answered meanwhile', async () => {
    const { ask, take } = asked();
    await take();
    await take(moved);
    await take(moved);
    expect(ask).toHaveBeenCalledTimes(3);
  });

  it('is not kept of an account that has ended, before or while it was asked', async () => {
    const { all, take } = asked();
    await take();
    expect(all.size).toBe(1);
    all.endAccount('anna');
    expect(all.size).toBe(0);
    const late = asked(here, () => false);
    await late.take();
    expect(late.all.size).toBe(0);
  });
});
