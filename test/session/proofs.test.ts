import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BrokerError } from '../../src/protocol/errors.js';
import { Proofs } from '../../src/session/proofs.js';
import { waitFor } from '../support/wait-for.js';

const right = { password: 'right' };
const wrong = { password: 'wrong' };
const refused = new BrokerError('IMAP_AUTH_FAILED', 'no');
const { signal } = new AbortController();

let proofs: Proofs;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  proofs = new Proofs();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('credentials', () => {
  it('that were right cost one login in five minutes, for each account', async () => {
    const login = vi.fn(async () => {});
    expect(await proofs.prove('a', right, signal, login)).toBe(true);
    expect(await proofs.prove('a', right, signal, login)).toBe(false);
    expect(await proofs.prove('b', right, signal, login)).toBe(true);
    vi.advanceTimersByTime(300_001);
    expect(await proofs.prove('a', right, signal, login)).toBe(true);
    expect(login).toHaveBeenCalledTimes(3);
  });

  it('that were wrong cost one login in ten minutes', async () => {
    const login = vi.fn(() => Promise.reject(refused));
    for (let round = 0; round < 5; round += 1) {
      await expect(proofs.prove('a', wrong, signal, login)).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED' });
    }
    expect(login).toHaveBeenCalledTimes(1);
    expect(proofs.isWrong('a', wrong)).toBe(true);
    vi.advanceTimersByTime(600_001);
    expect(proofs.isWrong('a', wrong)).toBe(false);
    await expect(proofs.prove('a', wrong, signal, login)).rejects.toBe(refused);
    expect(login).toHaveBeenCalledTimes(2);
  });

  it('that are asked about at once cost one login for all', async () => {
    let finish = () => {};
    const login = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const asked = Array.from({ length: 20 }, () => proofs.prove('a', right, signal, login));
    await waitFor(() => expect(login).toHaveBeenCalled());
    finish();
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('are tried by the next who asks when the first gives up', async () => {
    const cancelled = new BrokerError('CANCELLED', 'gone');
    const login = vi.fn<() => Promise<void>>().mockRejectedValueOnce(cancelled).mockResolvedValueOnce();
    const [first, second] = [proofs.prove('a', right, signal, login), proofs.prove('a', right, signal, login)];
    await expect(first).rejects.toBe(cancelled);
    expect(await second).toBe(true);
  });

  it('are not taken for wrong when the server cannot be asked', async () => {
    const down = new BrokerError('UPSTREAM_UNAVAILABLE', 'down');
    await expect(proofs.prove('a', right, signal, () => Promise.reject(down))).rejects.toBe(down);
    expect(proofs.isWrong('a', right)).toBe(false);
  });

  it('that were right and are refused later count as wrong', async () => {
    await proofs.prove('a', right, signal, async () => {});
    proofs.refused('a', right);
    expect(proofs.isWrong('a', right)).toBe(true);
  });

  it('of a password and a token with the same text are two', async () => {
    proofs.refused('a', { password: 'x' });
    expect(proofs.isWrong('a', { accessToken: 'x' })).toBe(false);
  });
});
