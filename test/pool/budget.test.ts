import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LoginError } from '../../src/imap/login/login-error.js';
import { Budget } from '../../src/pool/supply/budget.js';
import { Gate } from '../../src/pool/supply/gate.js';
import { BrokerError } from '../../src/protocol/errors.js';

const { signal } = new AbortController();
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the budget of an account', () => {
  it('is what is configured, until a server says what it is and leaves room for the user', () => {
    const budget = new Budget(() => 15);
    expect(budget.limit).toBe(15);
    budget.recognise('Dovecot');
    expect(budget.limit).toBe(8);
    const few = new Budget(() => 3);
    few.recognise('Dovecot');
    few.recognise('Nobody');
    expect(few.limit).toBe(3);
  });

  it('goes down to what a server let it have, and climbs by one in five minutes', () => {
    const budget = new Budget(() => 8);
    budget.refused(4);
    expect(budget.limit).toBe(4);
    vi.advanceTimersByTime(299_999);
    expect(budget.limit).toBe(4);
    vi.advanceTimersByTime(1);
    expect(budget.limit).toBe(5);
    vi.advanceTimersByTime(3_600_000);
    expect(budget.limit).toBe(8);
    budget.refused(0);
    expect(budget.limit).toBe(1);
  });
});

describe('the gate before a server', () => {
  beforeEach(() => {
    // No jitter.
    vi.spyOn(Math, 'random').mockReturnValue(1);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const down = () => Promise.reject(new BrokerError('UPSTREAM_UNAVAILABLE', 'refused'));
  const fail = (gate: Gate) => gate.pass('main', signal, down).catch((error: BrokerError) => error);

  it('closes after five failures, for longer each time, and lets one through to try', async () => {
    const gate = new Gate(1000);
    for (let round = 0; round < 5; round += 1) await fail(gate);
    expect(gate.status).toEqual({ state: 'open', failures: 5, retryAfterMs: 1000 });
    const connect = vi.fn(async () => 'connected');
    await expect(gate.pass('main', signal, connect)).rejects.toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      executed: 'no',
      retryAfterMs: 1000,
    });
    expect(connect).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    await fail(gate);
    expect(gate.status).toMatchObject({ state: 'open', retryAfterMs: 2000 });
    vi.advanceTimersByTime(2000);
    let finish = (_: string) => {};
    const trying = gate.pass('main', signal, () => new Promise<string>((resolve) => (finish = resolve)));
    await expect(gate.pass('main', signal, connect)).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE' });
    expect(gate.status.state).toBe('trying');
    finish('connected');
    expect(await trying).toBe('connected');
    expect(await gate.pass('main', signal, connect)).toBe('connected');
    expect(gate.status).toEqual({ state: 'closed', failures: 0, retryAfterMs: 0 });
  });

  it('never waits longer than five minutes', async () => {
    const gate = new Gate(1000);
    for (let round = 0; round < 40; round += 1) {
      await fail(gate);
      vi.advanceTimersByTime(gate.status.retryAfterMs);
    }
    await fail(gate);
    expect(gate.status.retryAfterMs).toBe(300_000);
  });

  it('counts logins that were under way together and failed after it had closed as nothing', async () => {
    const gate = new Gate(1000);
    await Promise.all(Array.from({ length: 100 }, () => fail(gate)));
    expect(gate.status).toEqual({ state: 'open', failures: 5, retryAfterMs: 1000 });
  });

  it('refuses logins that wait for their turn as soon as the broker backs off', async () => {
    const gate = new Gate(10);
    const connect = vi.fn(down);
    const logins = Array.from({ length: 100 }, () =>
      gate.pass('main', new AbortController().signal, connect).catch((error: BrokerError) => error),
    );
    const errors = await Promise.all(logins);
    expect(connect).toHaveBeenCalledTimes(11);
    for (const error of errors.slice(11)) {
      expect(error).toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', executed: 'no', retryAfterMs: 1000 });
    }
    expect(gate.status).toEqual({ state: 'open', failures: 5, retryAfterMs: 1000 });
  });

  it('takes no refused login and no cancelled one for a failure of the server', async () => {
    const gate = new Gate(1000);
    const wrong = () => Promise.reject(new BrokerError('IMAP_AUTH_FAILED', 'no'));
    const broken = () =>
      Promise.reject(new LoginError('UPSTREAM_UNAVAILABLE', 'no', { stage: 'login', refusal: 'account' }));
    const full = () => Promise.reject(new LoginError('UPSTREAM_UNAVAILABLE', 'no', { stage: 'full' }));
    const gone = AbortSignal.abort(new Error('gone'));
    for (let round = 0; round < 10; round += 1) {
      for (const refused of [wrong, broken, full]) await gate.pass('main', signal, refused).catch(() => {});
      await gate.pass('main', gone, down).catch(() => {});
    }
    expect(gate.status).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('lets a second’s worth of logins through at once and the others in their turn', async () => {
    vi.useRealTimers();
    const gate = new Gate(20);
    const at: number[] = [];
    const start = performance.now();
    const connect = async () => at.push(performance.now() - start);
    await Promise.all(Array.from({ length: 26 }, () => gate.pass('main', new AbortController().signal, connect)));
    const [first = 0, lastAtOnce = 0, last = 0] = [at[0], at[19], at[25]];
    expect(last - lastAtOnce).toBeGreaterThan(200);
    expect(lastAtOnce - first).toBeLessThan(last - lastAtOnce);
  });

  it('keeps no turn for logins that were cancelled while they waited', async () => {
    const gate = new Gate(10);
    const connect = vi.fn(async () => 'connected');
    const callers = Array.from({ length: 100 }, () => new AbortController());
    const logins = callers.map((caller) => gate.pass('main', caller.signal, connect).catch(() => 'cancelled'));
    await vi.advanceTimersByTimeAsync(1_000);
    for (const caller of callers) caller.abort(new Error('cancelled'));
    expect((await Promise.all(logins)).filter((outcome) => outcome === 'connected')).toHaveLength(21);
    // A broker that stops does not wait for a turn that no login takes.
    expect(vi.getTimerCount()).toBe(0);
    const next = gate.pass('main', signal, connect);
    await vi.advanceTimersByTimeAsync(100);
    expect(await next).toBe('connected');
    expect(connect).toHaveBeenCalledTimes(22);
  });
});
