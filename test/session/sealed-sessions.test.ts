import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { CompactEncrypt } from 'jose';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { KeyFileError, KeyRing, rotateKeys } from '../../src/session/key-ring.js';
import { type Ended, Revocations } from '../../src/session/revocations.js';
import { SealedSessions, type SessionLimits, type SharedEnds } from '../../src/session/sealed-sessions.js';

const anna = { tenant: 'shop', server: 'main', user: 'anna', secret: { password: 'pässword' } };
const expired = { kind: 'SESSION_EXPIRED', field: 'session', executed: 'no' };

let folder: string;
let open: SealedSessions[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-sessions-'));
});
afterEach(() => {
  for (const sessions of open) sessions.dispose();
  open = [];
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const keyFile = () => join(folder, 'session.keys');
const revokedFile = () => join(folder, 'revoked.jsonl');

/** The sessions of one broker; with files unless told otherwise. */
function broker(
  options: { keys?: KeyRing; revocations?: Revocations; limits?: Partial<SessionLimits>; shared?: SharedEnds } = {},
) {
  const ended: string[] = [];
  const sessions = new SealedSessions({
    keys: options.keys ?? KeyRing.ofFile(keyFile(), { create: true }),
    revocations: options.revocations ?? new Revocations(revokedFile()),
    limits: { ttlMs: 10_000, maxAgeMs: 25_000, remembered: 100, ...options.limits },
    shared: options.shared,
    onAccountEnd: (key) => ended.push(key),
  });
  open.push(sessions);
  return Object.assign(sessions, { ended });
}

describe('a sealed session', () => {
  it('is opened by every broker that has the keys, and tells nothing to those who have not', async () => {
    const { token, session } = await broker().open(anna);
    expect(await broker().resolve('shop', token)).toEqual(session);
    expect(session).toMatchObject(anna);
    const stranger = broker({ keys: KeyRing.ephemeral() });
    await expect(stranger.resolve('shop', token)).rejects.toMatchObject(expired);
    for (const part of token.split('.')) {
      expect(Buffer.from(part, 'base64url').toString('latin1')).not.toMatch(/anna|shop|password/);
    }
  });

  it('is worth nothing to another tenant', async () => {
    const sessions = broker();
    const { token } = await sessions.open(anna);
    await sessions.resolve('shop', token);
    await expect(sessions.resolve('other', token)).rejects.toMatchObject(expired);
  });

  it('is void with any bit of it changed, and with anything added or taken away', async () => {
    const sessions = broker();
    const { token } = await sessions.open(anna);
    const bytes = Buffer.from(token);
    const changes = fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(changes, async ({ at, bit }) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
        await expect(sessions.resolve('shop', changed.toString('latin1'))).rejects.toMatchObject(expired);
      }),
      { numRuns: 500 },
    );
    for (const other of [`${token}A`, token.slice(0, -1), ` ${token}`, `${token}\n`, `${token}=`, '', '....']) {
      await expect(sessions.resolve('shop', other)).rejects.toMatchObject(expired);
    }
    expect((await sessions.resolve('shop', token)).user).toBe('anna');
  });

  it('is void under another algorithm, with the right key too', async () => {
    const keys = KeyRing.ofFile(keyFile(), { create: true });
    const sessions = broker({ keys });
    const { session } = await sessions.open(anna);
    const { accountKey: _, ...content } = session;
    const { id, bytes } = keys.newest;
    const text = new TextEncoder().encode(JSON.stringify(content));
    const forged = [
      new CompactEncrypt(text).setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', kid: id }).encrypt(bytes),
      new CompactEncrypt(text).setProtectedHeader({ alg: 'dir', enc: 'A128CBC-HS256', kid: id }).encrypt(bytes),
    ];
    for (const token of forged) await expect(sessions.resolve('shop', await token)).rejects.toMatchObject(expired);
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(text).toString('base64url')}.`;
    await expect(sessions.resolve('shop', unsigned)).rejects.toMatchObject(expired);
  });

  it('ends at its time, later when it is renewed, and for good in the end', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const sessions = broker();
    const first = await sessions.open(anna);
    vi.setSystemTime(Date.now() + 9_000);
    const second = await sessions.renew(first.session);
    vi.setSystemTime(Date.now() + 1_001);
    await expect(sessions.resolve('shop', first.token)).rejects.toMatchObject(expired);
    expect((await sessions.resolve('shop', second.token)).id).toBe(first.session.id);
    vi.setSystemTime(first.session.openedAt + 18_000);
    const third = await sessions.renew(second.session);
    expect(third.session.expiresAt).toBe(first.session.openedAt + 25_000);
    vi.setSystemTime(first.session.openedAt + 25_000);
    await expect(sessions.resolve('shop', third.token)).rejects.toMatchObject(expired);
  });

  it('that was closed stays closed in all of its tokens, after a restart too', async () => {
    const sessions = broker();
    const { token, session } = await sessions.open(anna);
    const renewed = await sessions.renew(session);
    const other = await sessions.open(anna);
    await sessions.close(session);
    for (const at of [sessions, broker()]) {
      await expect(at.resolve('shop', token)).rejects.toMatchObject(expired);
      await expect(at.resolve('shop', renewed.token)).rejects.toMatchObject(expired);
      expect((await at.resolve('shop', other.token)).user).toBe('anna');
    }
  });

  it('tells of an account when its last session here has ended', async () => {
    vi.useFakeTimers();
    const sessions = broker();
    const [first, second] = [await sessions.open(anna), await sessions.open(anna)];
    await sessions.close(first.session);
    expect(sessions.ended).toEqual([]);
    expect(sessions.hasAccount(second.session.accountKey)).toBe(true);
    vi.advanceTimersByTime(13_000);
    expect(sessions.ended).toEqual([second.session.accountKey]);
    expect(sessions.hasAccount(second.session.accountKey)).toBe(false);
  });

  it('is forgotten but not ended when too many are remembered', async () => {
    const sessions = broker({ limits: { remembered: 2 } });
    const tokens = [await sessions.open(anna), await sessions.open(anna), await sessions.open(anna)];
    for (const { token } of tokens) expect((await sessions.resolve('shop', token)).user).toBe('anna');
  });
});

describe('keys', () => {
  it('are made at the first start for nobody else to read', () => {
    KeyRing.ofFile(keyFile(), { create: true });
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    const made = readFileSync(keyFile(), 'utf8');
    KeyRing.ofFile(keyFile(), { create: true });
    expect(readFileSync(keyFile(), 'utf8')).toBe(made);
  });

  it('that systemd passes may be shown to their service by an ACL, which sets the group’s bit, and to nobody else', () => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', dirname(keyFile()));
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    KeyRing.ofFile(keyFile(), { create: true });
    chmodSync(keyFile(), 0o440);
    expect(KeyRing.ofFile(keyFile(), { create: false }).newest.id).toBeTruthy();
    chmodSync(keyFile(), 0o444);
    expect(() => KeyRing.ofFile(keyFile(), { create: false })).toThrow(/can be read by others \(mode 0444\)/);
  });

  it.each<[string, () => void, RegExp]>([
    ['others can read', () => chmodSync(keyFile(), 0o644), /can be read by others \(mode 0644\): chmod 600/],
    ['is empty', () => writeFileSync(keyFile(), ''), /has no keys/],
    ['holds something else', () => writeFileSync(keyFile(), 'k short\n'), /a line that is no key/],
    ['is missing', () => rmSync(keyFile()), /cannot read the key file/],
  ])('of a file that %s are refused', (_what, spoil, message) => {
    KeyRing.ofFile(keyFile(), { create: true });
    spoil();
    expect(() => KeyRing.ofFile(keyFile(), { create: false })).toThrow(KeyFileError);
    expect(() => KeyRing.ofFile(keyFile(), { create: false })).toThrow(message);
  });

  it('rotate under a running broker: the newest seals, three older ones still open', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    const sessions = broker({ limits: { ttlMs: 1e9, maxAgeMs: 1e9 } });
    const tokens = [(await sessions.open(anna)).token];
    for (let round = 0; round < 4; round += 1) {
      rotateKeys(keyFile());
      expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
      vi.advanceTimersByTime(2_001);
      tokens.push((await sessions.open(anna)).token);
    }
    const kid = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
    expect(new Set(tokens.map(kid)).size).toBe(5);
    const [oldest = '', ...others] = tokens;
    await expect(broker().resolve('shop', oldest)).rejects.toMatchObject(expired);
    for (const token of others) expect((await broker().resolve('shop', token)).user).toBe('anna');
  });

  it('rotated by one of several brokers: what it seals from then on, the others open at once', async () => {
    const [one, other] = [broker(), broker()];
    await other.open(anna);
    rotateKeys(keyFile());
    const { token } = await broker().open(anna);
    expect((await other.resolve('shop', token)).user).toBe('anna');
    expect((await one.resolve('shop', token)).user).toBe('anna');
  });

  it('stay what they were when their file is spoilt under a running broker', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const sessions = broker();
    const { token } = await sessions.open(anna);
    writeFileSync(keyFile(), 'rubbish');
    vi.advanceTimersByTime(2_001);
    expect((await sessions.resolve('shop', token)).user).toBe('anna');
    await sessions.open(anna);
  });
});

describe('revocations', () => {
  it('end the sessions of a user, or of a tenant, that were opened until then', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const revocations = new Revocations(revokedFile());
    const sessions = broker({ revocations });
    const before = await sessions.open(anna);
    const ben = await sessions.open({ ...anna, user: 'ben' });
    revocations.user('shop', 'anna', 25_000);
    await expect(sessions.resolve('shop', before.token)).rejects.toMatchObject(expired);
    await sessions.resolve('shop', ben.token);
    vi.setSystemTime(Date.now() + 1);
    const after = await sessions.open(anna);
    await sessions.resolve('shop', after.token);
    revocations.tenant('shop', 25_000);
    for (const { token } of [ben, after]) await expect(sessions.resolve('shop', token)).rejects.toMatchObject(expired);
    await expect(broker().resolve('shop', ben.token)).rejects.toMatchObject(expired);
  });

  it('are forgotten when what they concern has ended anyway', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const sessions = broker();
    await sessions.close((await sessions.open(anna)).session);
    expect(new Revocations(revokedFile()).size).toBe(1);
    vi.setSystemTime(Date.now() + 25_001);
    expect(new Revocations(revokedFile()).size).toBe(0);
    expect(readFileSync(revokedFile(), 'utf8')).not.toContain('"id"');
  });

  it('survive a last line that a crash cut off', async () => {
    const sessions = broker();
    const { session, token } = await sessions.open(anna);
    await sessions.close(session);
    writeFileSync(revokedFile(), `${readFileSync(revokedFile(), 'utf8')}{"id":"hal`);
    await expect(broker().resolve('shop', token)).rejects.toMatchObject(expired);
  });

  it('stay few: above their bound rather all sessions of an application end than one that was revoked goes on', async () => {
    const revocations = new Revocations(revokedFile(), { most: 3 });
    const sessions = broker({ revocations });
    const made = await Promise.all([1, 2, 3, 4, 5].map(() => sessions.open(anna)));
    const other = await sessions.open({ ...anna, tenant: 'other' });
    for (const { session } of made.slice(0, 4)) await sessions.close(session);
    expect(revocations.size).toBe(1);
    for (const { token } of made) await expect(broker().resolve('shop', token)).rejects.toMatchObject(expired);
    expect((await broker().resolve('other', other.token)).user).toBe('anna');
  });
});

describe('a session that another broker has ended', () => {
  /** What other brokers have ended, and what was told to them. */
  function others(...ended: Ended[]) {
    const told: Ended[] = [];
    const shared: SharedEnds = {
      publish: async (one) => {
        told.push(one);
        return true;
      },
      of: async ({ id, tenant, user }) =>
        ended.filter((one) => one.tenant === tenant && (one.id ?? id) === id && (one.user ?? user) === user),
    };
    return { ended, told, shared };
  }

  it('is looked up at the first use of its token, and refused; that lasts over a restart', async () => {
    const { token, session } = await broker().open(anna);
    const { shared } = others({ id: session.id, tenant: 'shop', at: Date.now(), until: session.endsAt });
    await expect(broker({ shared }).resolve('shop', token)).rejects.toMatchObject(expired);
    await expect(broker().resolve('shop', token)).rejects.toMatchObject(expired);
  });

  it('ends where it is in use as soon as this is told, and its account with it', async () => {
    const own = broker({ shared: others().shared });
    const { token, session } = await own.open(anna);
    own.learn({ id: session.id, tenant: 'shop', at: Date.now(), until: session.endsAt });
    await expect(own.resolve('shop', token)).rejects.toMatchObject(expired);
    expect(own.ended).toEqual([session.accountKey]);
  });

  it('ends with those of its user that were opened until then, by the clock, and no others', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const own = broker({ shared: others().shared });
    const before = await own.open(anna);
    const other = await own.open({ ...anna, user: 'berta' });
    vi.setSystemTime(Date.now() + 10);
    own.learn({ tenant: 'shop', user: 'anna', at: Date.now(), until: Date.now() + 60_000 });
    vi.setSystemTime(Date.now() + 10);
    const after = await own.open(anna);
    await expect(own.resolve('shop', before.token)).rejects.toMatchObject(expired);
    expect((await own.resolve('shop', other.token)).user).toBe('berta');
    expect((await own.resolve('shop', after.token)).user).toBe('anna');
    await expect(broker().resolve('shop', before.token)).rejects.toMatchObject(expired);
    expect((await broker().resolve('shop', after.token)).user).toBe('anna');
  });

  it('is told to the others when it ends here, in each way', async () => {
    const { told, shared } = others();
    const own = broker({ shared });
    const [closed, kicked] = [await own.open(anna), await own.open(anna)];
    expect(await own.close(closed.session)).toEqual({ lasts: true, everywhere: true });
    expect(await own.kick(kicked.session.id)).toMatchObject({ everywhere: true });
    expect(await own.revoke('shop', 'anna')).toMatchObject({ everywhere: true });
    expect(await own.revoke('shop')).toMatchObject({ everywhere: true });
    expect(told).toMatchObject([
      { id: closed.session.id, tenant: 'shop' },
      { id: kicked.session.id, tenant: 'shop' },
      { tenant: 'shop', user: 'anna' },
      { tenant: 'shop', user: undefined },
    ]);
    expect(await broker().close((await broker().open(anna)).session)).toMatchObject({ everywhere: null });
  });

  it('is looked up anew where ends may have been missed, whether it is used or not', async () => {
    const { ended, shared } = others();
    const own = broker({ shared });
    const { token, session } = await own.open(anna);
    ended.push({ id: session.id, tenant: 'shop', at: Date.now(), until: session.endsAt });
    await own.lookAgain();
    expect(own.ended).toEqual([session.accountKey]);
    await expect(own.resolve('shop', token)).rejects.toMatchObject(expired);
  });
});
