import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyRing, rotateKeys } from '../../src/session/key-ring.js';
import { Revocations } from '../../src/session/revocations.js';
import { seal } from '../../src/session/seal.js';
import { SealedSessions, type SessionLimits } from '../../src/session/sealed-sessions.js';

const anna = { tenant: 'shop', server: 'main', user: 'anna', secret: { password: 'secret' } };
const expired = { kind: 'SESSION_EXPIRED', field: 'session', executed: 'no' };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let folder: string;
let open: SealedSessions[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-ended-'));
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
  for (const sessions of open) sessions.dispose();
  open = [];
  rmSync(folder, { recursive: true, force: true });
});

const keyFile = () => join(folder, 'session.keys');
const revokedFile = () => join(folder, 'revoked.jsonl');
const troubles: unknown[] = [];

/** The sessions of a broker that has just started, with the files of the one before. */
function start(limits: Partial<SessionLimits> = {}) {
  const keys = KeyRing.ofFile(keyFile(), { create: true });
  const revocations = new Revocations(revokedFile(), { onTrouble: (error) => troubles.push(error) });
  const ended: string[] = [];
  const sessions = new SealedSessions({
    keys,
    revocations,
    limits: { ttlMs: DAY, maxAgeMs: 7 * DAY, remembered: 100, ...limits },
    onAccountEnd: (key) => ended.push(key),
  });
  open.push(sessions);
  return Object.assign(sessions, { keys, revocations, ended });
}

const move = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('a session that was revoked', () => {
  it.each([
    ['set back', -HOUR],
    ['set ahead', HOUR],
  ])('stays so when the clock was %s before, and one that is opened after it goes on', async (_how, by) => {
    const sessions = start();
    const before = await sessions.open(anna);
    move(by);
    await sessions.revoke('shop', 'anna');
    const after = await sessions.open(anna);
    for (const at of [sessions, start()]) {
      await expect(at.resolve('shop', before.token)).rejects.toMatchObject(expired);
      expect((await at.resolve('shop', after.token)).user).toBe('anna');
    }
    move(-by);
    for (const at of [sessions, start()]) {
      await expect(at.resolve('shop', before.token)).rejects.toMatchObject(expired);
      expect((await at.resolve('shop', after.token)).user).toBe('anna');
    }
  });

  it('stays so when the clock was set back between a restart and the revocation', async () => {
    const { token } = await start().open(anna);
    move(-HOUR);
    const again = start();
    await again.revoke('shop');
    await expect(again.resolve('shop', token)).rejects.toMatchObject(expired);
    await expect(start().resolve('shop', token)).rejects.toMatchObject(expired);
  });

  it('stays so after a reload to a shorter max_age_seconds and a restart', async () => {
    const sessions = start();
    const [first, second] = [await sessions.open(anna), await sessions.open({ ...anna, user: 'ben' })];
    sessions.setLimits({ ttlMs: DAY, maxAgeMs: HOUR, remembered: 100 });
    await sessions.revoke('shop', 'anna');
    await sessions.kick(second.session.id);
    move(2 * HOUR);
    const again = start();
    for (const { token } of [first, second]) {
      await expect(again.resolve('shop', token)).rejects.toMatchObject(expired);
    }
  });

  it('stays so when the clock was so far ahead for a while that its revocation was forgotten', async () => {
    const sessions = start();
    const first = await sessions.open(anna);
    const second = await sessions.open(anna);
    await sessions.close(first.session);
    await sessions.revoke('shop', 'ben');
    move(800 * DAY);
    expect(start().revocations.size).toBe(0);
    move(-800 * DAY);
    const again = start();
    await expect(again.resolve('shop', first.token)).rejects.toMatchObject(expired);
    // Revocations that had ended by that clock as well are forgotten: which sessions they were of is not known any more.
    await expect(again.resolve('shop', second.token)).rejects.toMatchObject(expired);
    const { token } = await again.open(anna);
    expect((await start().resolve('shop', token)).user).toBe('anna');
  });

  it.each([
    ['another broker was started on the same files for a moment', () => start().dispose()],
    ['its list was deleted', () => rmSync(revokedFile())],
    ['its list was moved away', () => renameSync(revokedFile(), `${revokedFile()}.old`)],
  ])('stays so although %s while the broker ran', async (_what, meanwhile) => {
    const sessions = start();
    const [first, second] = [await sessions.open(anna), await sessions.open(anna)];
    await sessions.close(first.session);
    meanwhile();
    expect(await sessions.close(second.session)).toEqual({ lasts: true, everywhere: null });
    const again = start();
    for (const { token } of [first, second]) {
      await expect(again.resolve('shop', token)).rejects.toMatchObject(expired);
    }
  });

  it('is not renewed by what was under way, nor are its other tokens', async () => {
    const sessions = start();
    const { session } = await sessions.open(anna);
    const renewing = sessions.renew(session, { accessToken: 'new' });
    await sessions.revoke('shop', 'anna');
    await expect(renewing).rejects.toMatchObject(expired);
    await expect(async () => sessions.renew(session)).rejects.toMatchObject(expired);
    expect(sessions.live.size).toBe(0);
    expect(() => sessions.check(session)).toThrow('unknown or ended');
  });

  it('stays so in a renewed token that another broker with the keys made after it', async () => {
    const [sessions, other] = [start(), start()];
    const { session } = await sessions.open(anna);
    await sessions.revoke('shop', 'anna');
    move(1);
    const renewed = await seal(other.keys.newest, { ...session, renewals: 1 });
    await expect(sessions.resolve('shop', renewed)).rejects.toMatchObject(expired);
  });

  it('stays so where a file of version 0.1.0 says it, which compares clocks', async () => {
    const { keys } = start();
    const { line: _, generation: __, renewals: ___, ...old } = (await start().open(anna)).session;
    const token = await seal(keys.newest, { ...old, issuedAt: Date.now() } as never);
    expect((await start().resolve('shop', token)).user).toBe('anna');
    const [at, until] = [Date.now(), Date.now() + DAY];
    writeFileSync(revokedFile(), `${JSON.stringify({ tenant: 'shop', user: 'anna', at, until })}\n`);
    const again = start();
    await expect(again.resolve('shop', token)).rejects.toMatchObject(expired);
    const { token: fresh } = await again.open(anna);
    expect((await again.resolve('shop', fresh)).user).toBe('anna');
  });
});

describe('a token under a key that was dropped', () => {
  it('does not go on where it was used before, nor does one that a thief of the key has made', async () => {
    const sessions = start();
    const { token, session } = await sessions.open(anna);
    const forged = await seal(sessions.keys.newest, { ...session, id: 'forged', user: 'ben' });
    for (const one of [token, forged]) await sessions.resolve('shop', one);
    for (let round = 0; round < 4; round += 1) rotateKeys(keyFile());
    vi.advanceTimersByTime(2_001);
    for (const at of [sessions, start()]) {
      for (const one of [token, forged]) await expect(at.resolve('shop', one)).rejects.toMatchObject(expired);
    }
  });

  it('does not go on either when its key is another one of the same name', async () => {
    const sessions = start();
    const { token } = await sessions.open(anna);
    await sessions.resolve('shop', token);
    const { id } = sessions.keys.newest;
    rmSync(keyFile());
    writeFileSync(keyFile(), `${id} ${Buffer.alloc(32, 7).toString('base64url')}\n`, { mode: 0o600 });
    vi.advanceTimersByTime(2_001);
    await expect(sessions.resolve('shop', token)).rejects.toMatchObject(expired);
  });

  it('does not have the key file looked at each time, for there may be very many tokens', () => {
    const { keys } = start();
    const dropped = keys.newest;
    const text = readFileSync(keyFile(), 'utf8');
    for (let round = 0; round < 4; round += 1) rotateKeys(keyFile());
    vi.advanceTimersByTime(2_001);
    expect(keys.has(dropped)).toBe(false);
    const { id } = keys.newest;
    writeFileSync(keyFile(), text);
    expect(keys.has(dropped)).toBe(false);
    expect(keys.newest.id).toBe(id);
  });

  it('ends its session where that was in use, within a minute', async () => {
    vi.useRealTimers();
    vi.useFakeTimers();
    const sessions = start();
    const { session } = await sessions.open(anna);
    for (let round = 0; round < 4; round += 1) rotateKeys(keyFile());
    vi.advanceTimersByTime(60_001);
    expect(sessions.ended).toEqual([session.accountKey]);
  });
});

describe('where the list cannot be written', () => {
  it('what ends ends here at once, says that it does not last, and lasts once there is room again', async () => {
    vi.useRealTimers();
    vi.useFakeTimers();
    troubles.length = 0;
    const sessions = start();
    const [closed, revoked, kicked] = [
      await sessions.open(anna),
      await sessions.open({ ...anna, user: 'ben' }),
      await sessions.open({ ...anna, user: 'cora' }),
    ];
    // A folder in the place of the list cannot be replaced by a file.
    sessions.revocations.close();
    rmSync(revokedFile());
    mkdirSync(revokedFile());
    expect(await sessions.close(closed.session)).toEqual({ lasts: false, everywhere: null });
    expect(await sessions.revoke('shop', 'ben')).toEqual({ accounts: 1, lasts: false, everywhere: null });
    expect(await sessions.kick(kicked.session.id)).toMatchObject({ lasts: false, everywhere: null });
    expect(sessions.ended).toHaveLength(3);
    for (const { token } of [closed, revoked, kicked]) {
      await expect(sessions.resolve('shop', token)).rejects.toMatchObject(expired);
    }
    expect(troubles).toHaveLength(1);
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([]);
    rmSync(revokedFile(), { recursive: true });
    vi.advanceTimersByTime(5_001);
    expect(troubles).toEqual([expect.anything(), undefined]);
    for (const { token } of [closed, revoked, kicked]) {
      await expect(start().resolve('shop', token)).rejects.toMatchObject(expired);
    }
  });
});
