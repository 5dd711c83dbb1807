import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyRing } from '../../src/session/key-ring.js';
import { Revocations, type RevocationsOptions } from '../../src/session/revocations.js';
import { SealedSessions } from '../../src/session/sealed-sessions.js';

const anna = { tenant: 'shop', server: 'main', user: 'anna', secret: { password: 'secret' } };
const ben = { ...anna, user: 'ben' };
const expired = { kind: 'SESSION_EXPIRED', field: 'session', executed: 'no' };
const HOUR = 3_600_000;

let folder: string;
let open: SealedSessions[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-list-'));
});
afterEach(() => {
  vi.useRealTimers();
  for (const sessions of open) sessions.dispose();
  open = [];
  rmSync(folder, { recursive: true, force: true });
});

const list = () => join(folder, 'revoked.jsonl');
const old = () => `${list()}.old`;

/** The sessions of one of several brokers with this state folder. It looks at the list when it has to, unless told otherwise. */
function start(options: RevocationsOptions = {}) {
  const revocations = new Revocations(list(), { lookMs: 2 ** 30, ...options });
  const ended: string[] = [];
  const sessions = new SealedSessions({
    keys: KeyRing.ofFile(join(folder, 'session.keys'), { create: true }),
    revocations,
    limits: { ttlMs: 24 * HOUR, maxAgeMs: 24 * HOUR, remembered: 100 },
    onAccountEnd: (key) => ended.push(key),
  });
  open.push(sessions);
  const isIn = (token: string) =>
    sessions.resolve('shop', token).then(
      () => true,
      (error) => {
        expect(error).toMatchObject(expired);
        return false;
      },
    );
  return Object.assign(sessions, { revocations, ended, isIn });
}

/** Lets brokers look at the list, as they do twice a second; each writes what it misses there. */
function look(...brokers: { revocations: Revocations }[]): void {
  for (const { revocations } of [...brokers, ...brokers]) revocations.catchUp();
}

describe('a broker with the list of another', () => {
  it('ends what the other has ended where it is in use, as soon as it looks, and the accounts with it', async () => {
    const [one, other] = [start(), start({ lookMs: 10 })];
    const learned = () => new Promise((resolve) => other.revocations.learned.add(resolve));
    const opened = await one.open(anna);
    const sessions = [opened, await one.open(ben), await one.open({ ...anna, user: 'cora' })];
    for (const { token } of sessions) expect(await other.isIn(token)).toBe(true);
    const ends = [() => one.close(opened.session), () => one.revoke('shop', 'ben'), () => one.revoke('shop')];
    for (const [index, end] of ends.entries()) {
      const known = learned();
      await end();
      await known;
      expect(other.ended).toEqual(sessions.slice(0, index + 1).map(({ session }) => session.accountKey));
    }
  });

  it('leaves alone those of the user that were opened afterwards at either', async () => {
    const [one, other] = [start(), start()];
    const before = await other.open(anna);
    await one.revoke('shop', 'anna');
    const after = [await one.open(anna), await other.open(anna)];
    look(one, other);
    expect(other.hasAccount(before.session.accountKey)).toBe(true);
    expect(await other.isIn(before.token)).toBe(false);
    for (const { token } of after) expect([await one.isIn(token), await other.isIn(token)]).toEqual([true, true]);
  });

  it('refuses a token that it has not seen before a moment after the other has ended it', async () => {
    const [one, other] = [start(), start()];
    const { token, session } = await one.open(anna);
    await one.close(session);
    expect(await other.isIn(token)).toBe(false);
  });

  it('renews no session that the other has ended, with another secret neither', async () => {
    const [one, other] = [start(), start()];
    const { session } = await one.open(anna);
    await one.close(session);
    look(other);
    await expect(async () => other.renew(session)).rejects.toMatchObject(expired);
    await expect(async () => other.renew(session, { accessToken: 'new' })).rejects.toMatchObject(expired);
  });

  it('starts without writing a long one anew, which the others would have to read whole', async () => {
    const one = start({ spareLines: 5 });
    const tokens = await Promise.all(Array.from({ length: 8 }, () => one.open(anna)));
    for (const { session } of tokens) await one.close(session);
    const { ino } = statSync(list());
    const other = start({ spareLines: 5 });
    expect(statSync(list()).ino).toBe(ino);
    for (const { token } of tokens) expect(await other.isIn(token)).toBe(false);
    const { token } = await other.open(anna);
    await one.revoke('shop', 'anna');
    expect(await other.isIn(token)).toBe(false);
  });

  it('appends to it and does not write it anew until most of it is out of date', async () => {
    const [one, other] = [start({ spareLines: 50 }), start({ spareLines: 50 })];
    const { ino } = statSync(list());
    for (const sessions of [one, other, one]) await sessions.close((await sessions.open(anna)).session);
    expect(statSync(list()).ino).toBe(ino);
    for (let round = 0; round < 60; round += 1) await one.revoke('shop', 'anna');
    expect(statSync(list()).ino).not.toBe(ino);
    expect(readFileSync(list(), 'utf8').split('\n').length).toBeLessThan(20);
    expect(existsSync(old())).toBe(false);
    expect(start().revocations.size).toBe(4);
  });
});

describe('the list of several brokers', () => {
  it.each<[string, () => void]>([
    ['deleted', () => rmSync(list())],
    ['cut short', () => truncateSync(list(), 10)],
    ['emptied', () => truncateSync(list(), 0)],
  ])('is written again by each with what it knows where it was %s', async (_how, spoil) => {
    const [one, other] = [start(), start()];
    const [first, second] = [await one.open(anna), await other.open(ben)];
    await one.close(first.session);
    await other.revoke('shop', 'ben');
    look(one, other);
    spoil();
    look(one, other);
    const third = start();
    for (const { token } of [first, second]) {
      for (const { isIn } of [one, other, third]) expect(await isIn(token)).toBe(false);
    }
    const after = await third.open(ben);
    for (const { isIn } of [one, other, third]) expect(await isIn(after.token)).toBe(true);
  });

  it('that was replaced by that of other brokers is gone on with, and nothing that was ended goes on', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const [one, other] = [start(), start()];
    const [first, second] = [await one.open(anna), await other.open(ben)];
    await one.revoke('shop', 'anna');
    rmSync(list());
    const stranger = start();
    vi.setSystemTime(Date.now() + 1);
    const early = await stranger.open(anna);
    look(one, other, stranger);
    expect(new Set([one, other, stranger].map(({ revocations }) => revocations.opening().line)).size).toBe(1);
    const third = await stranger.open(ben);
    await other.revoke('shop', 'ben');
    const after = [early, await one.open(anna), await stranger.open(ben)];
    for (const { isIn } of [one, other, stranger, start()]) {
      look(one, other, stranger);
      for (const { token } of [first, second, third]) expect(await isIn(token)).toBe(false);
      for (const { token } of after) expect(await isIn(token)).toBe(true);
    }
  });

  it.each([
    ['half a line', '{"id":"hal'],
    ['no JSON', 'rubbish\n\n'],
    ['another version', '{"version":7,"ends":["x"]}\n{"tenant":"shop","until":"tomorrow"}\n'],
    ['a generation beyond all counting', '{"tenant":"shop","generation":9007199254740991,"at":0,"until":9e15}\n'],
    ['a line without an end', `{"id":"${'x'.repeat(200_000)}`],
  ])('is read and gone on with where it has %s', async (_what, spoilt) => {
    const [one, other] = [start(), start()];
    const first = await one.open(anna);
    appendFileSync(list(), spoilt);
    const second = await other.open(anna);
    await other.close(second.session);
    appendFileSync(list(), spoilt);
    await one.revoke('shop', 'ben');
    const third = await other.open(ben);
    for (const { isIn } of [one, other, start()]) {
      look(one, other);
      expect([await isIn(first.token), await isIn(second.token), await isIn(third.token)]).toEqual([true, false, true]);
    }
  });

  it('counts beyond what a start that could not write it has counted', async () => {
    const [one, other] = [start(), start()];
    const generations = [one, other].map(({ revocations }) => revocations.opening().generation);
    expect(generations[0]).toBe(generations[1]);
    const third = start();
    expect(third.revocations.opening().generation).toBeGreaterThan(generations[0] ?? 0);
    expect(one.revocations.opening()).toEqual(third.revocations.opening());
  });

  it('has room for a part of what ends: a broker that had none tells the others, which do not write it back', async () => {
    const [one, other] = [start({ most: 3, spareLines: -1_000 }), start({ most: 5 })];
    const made = [];
    for (let index = 0; index < 4; index += 1) made.push(await one.open(anna));
    for (const { session } of made) {
      await one.close(session);
      look(other);
    }
    expect([one.revocations.size, other.revocations.size]).toEqual([1, 1]);
    expect(readFileSync(list(), 'utf8')).not.toContain(made[0]?.session.id);
    const after = await other.open(anna);
    const again = start({ most: 3 });
    look(one, other, again);
    expect(again.revocations.size).toBe(1);
    for (const { isIn } of [one, other, again]) {
      for (const { token } of made) expect(await isIn(token)).toBe(false);
      expect(await isIn(after.token)).toBe(true);
    }
  });
});

describe('a broker that was killed while it wrote the list anew', () => {
  /** The old list has an end that the new one lacks. @returns the token of the session that has ended */
  async function killed() {
    const one = start();
    const { token, session } = await one.open(anna);
    one.revocations.close();
    linkSync(list(), old());
    const text = readFileSync(list(), 'utf8');
    appendFileSync(old(), `${JSON.stringify({ id: session.id, tenant: 'shop', at: 0, until: session.endsAt })}\n`);
    rmSync(list());
    writeFileSync(list(), text);
    return token;
  }

  it('leaves what was appended to the old list meanwhile to those that start afterwards', async () => {
    const token = await killed();
    expect(await start().isIn(token)).toBe(false);
    rmSync(old());
    expect(await start().isIn(token)).toBe(false);
  });

  it('keeps the others from doing the same for a minute, and not for good', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const token = await killed();
    const other = start({ spareLines: -1_000 });
    const close = async () => await other.close((await other.open(ben)).session);
    const { ino } = statSync(list());
    expect(await close()).toMatchObject({ lasts: true });
    expect(statSync(list()).ino).toBe(ino);
    vi.advanceTimersByTime(60_001);
    expect(await close()).toMatchObject({ lasts: true });
    expect(existsSync(old())).toBe(false);
    expect(statSync(list()).ino).not.toBe(ino);
    expect(await start().isIn(token)).toBe(false);
  });

  it('before it had begun with the new list leaves all as it was', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const one = start({ spareLines: -1_000 });
    linkSync(list(), old());
    const [first, second] = [await one.open(anna), await one.open(anna)];
    await one.close(first.session);
    vi.advanceTimersByTime(60_001);
    await one.close(second.session);
    expect(existsSync(old())).toBe(false);
    for (const { token } of [first, second]) expect(await start().isIn(token)).toBe(false);
  });
});

describe('brokers that cannot write their list', () => {
  it('count alone meanwhile, and end afterwards what the others have revoked, whatever they had counted', async () => {
    vi.useFakeTimers();
    const troubles: unknown[] = [];
    const onTrouble = (error: unknown) => troubles.push(error);
    const [one, other] = [start({ onTrouble }), start({ onTrouble })];
    rmSync(list());
    // A folder in the place of the list cannot be written.
    mkdirSync(list());
    for (let round = 0; round < 3; round += 1) {
      expect(await other.revoke('shop', 'cora')).toMatchObject({ lasts: false });
    }
    const before = await other.open(ben);
    const cora = await other.open({ ...anna, user: 'cora' });
    expect(await one.revoke('shop', 'ben')).toMatchObject({ lasts: false });
    const after = await one.open(ben);
    expect(await one.isIn(after.token)).toBe(true);
    expect(troubles).toHaveLength(2);
    rmSync(list(), { recursive: true });
    vi.advanceTimersByTime(5_001);
    look(one, other);
    expect(troubles).toEqual([expect.anything(), expect.anything(), undefined, undefined]);
    for (const { isIn } of [one, other, start()]) {
      expect([await isIn(before.token), await isIn(cora.token)]).toEqual([false, true]);
    }
  });
});
