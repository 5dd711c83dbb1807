import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import type { SessionContext } from '../../src/methods/context.js';
import { sessionHandlers } from '../../src/methods/session.js';
import { openSession as open } from '../../src/methods/session-open.js';
import { ServerFacts } from '../../src/methods/support/server-facts.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import { Registry } from '../../src/pool/registry.js';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import { KeyRing } from '../../src/session/key-ring.js';
import { Proofs } from '../../src/session/proofs.js';
import { Revocations } from '../../src/session/revocations.js';
import { defaultSessionLimits, SealedSessions } from '../../src/session/sealed-sessions.js';
import { tenantWith } from '../../src/session/tenant.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { handlerContext } from '../support/handler-context.js';
import { waitFor } from '../support/wait-for.js';

const { 'session.close': close, 'session.info': info } = sessionHandlers;

/** The handlers' surroundings as the broker makes them, and requests through them as the dispatcher makes them. */
function broker(server: ServerOptions, limits: { appendBytes?: number } = {}) {
  const proofs = new Proofs();
  const facts = new ServerFacts();
  const registry = new Registry(defaultPoolLimits, {
    onRefused: (key, credentials) => proofs.refused(key, credentials),
  });
  const sessions = new SealedSessions({
    keys: KeyRing.ephemeral(),
    revocations: new Revocations(),
    limits: defaultSessionLimits,
    onAccountEnd: (key) => void registry.close(key),
  });
  onTestFinished(async () => {
    sessions.dispose();
    await registry.closeAll(1000);
  });
  const context = async (method: MethodName, token?: string, tenant = 'acme'): Promise<SessionContext> => {
    const session = token === undefined ? undefined : await sessions.resolve(tenant, token);
    const account = registry.get(session?.accountKey ?? '');
    const none = () => Promise.reject(new Error('no account'));
    const base = handlerContext(method, account ?? { key: 'none', run: none, share: none, slots: new NewestInSlot() });
    const services = { ...base.services, sessions, proofs, facts, registry, servers: new Map([[server.name, server]]) };
    return {
      ...base,
      tenant: tenantWith({ name: tenant }),
      session: session ?? base.session,
      services: { ...services, limits: { now: { ...services.limits.now, ...limits } } },
    };
  };
  const login = async (user: string, password = PASSWORD, name = server.name) =>
    open(await context('session.open'), { server: name, user, auth: { password } });
  return { registry, sessions, context, login };
}

describe('a session', () => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start({ separator: '.', prefix: 'INBOX.', imapCapability: '+APPENDLIMIT=1000' });
  });
  afterAll(() => dovecot.stop());

  it('is opened by a login and tells what the server can', async () => {
    const { login } = broker(dovecot.server());
    const user = newUser();
    const opened = await login(user);
    expect(contract['session.open'].result.parse(opened)).toEqual(opened);
    expect(opened).toMatchObject({
      server: 'dovecot',
      user,
      capabilities: {
        move: true,
        sort: true,
        uidPlus: true,
        quota: true,
        thread: expect.arrayContaining(['REFERENCES']),
      },
      software: { name: 'Dovecot' },
      offered: expect.arrayContaining(['IMAP4rev1', 'UIDPLUS', 'APPENDLIMIT=1000']),
      namespace: { personal: [{ prefix: 'INBOX.', delimiter: '.' }], other: [], shared: [] },
      limits: { connections: 3, queue: 100, appendBytes: 1000 },
    });
    expect(Date.parse(opened.expiresAt)).toBeGreaterThan(Date.now());
  });

  it('tells the same later, also when no connection is left, without another login', async () => {
    const { login, context, registry } = broker(dovecot.server());
    const user = newUser();
    const { session, ...opened } = await login(user);
    const account = registry.get((await context('session.info', session)).session.accountKey);
    await account?.evictIdle();
    const again = await info(await context('session.info', session));
    expect(again).toEqual({ ...opened, expiresAt: again.expiresAt });
    expect(account?.stats).toEqual({ idle: 0, busy: 0, watching: 0, connecting: 0, waiting: 0 });
  });

  it('is not opened with a wrong password, and nothing of the account remains', async () => {
    const { login, registry } = broker(dovecot.server());
    await expect(login(newUser(), 'wrong')).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED', executed: 'no' });
    expect(registry.stats.size).toBe(0);
  });

  it('is not opened with a wrong password beside one that is open, and the open one goes on', async () => {
    const { login, context } = broker(dovecot.server());
    const user = newUser();
    const { session } = await login(user);
    await expect(login(user, 'wrong')).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED' });
    await expect(info(await context('session.info', session))).resolves.toMatchObject({ user });
  });

  it('is not opened on a server that is not configured', async () => {
    const { login, registry } = broker(dovecot.server());
    await expect(login(newUser(), PASSWORD, 'imap.example.com')).rejects.toMatchObject({
      kind: 'SERVER_NOT_ALLOWED',
      field: 'server',
      executed: 'no',
    });
    expect(registry.stats.size).toBe(0);
  });

  it('ends alone; the last of an account logs its connections out', async () => {
    const { login, context, registry } = broker(dovecot.server());
    const user = newUser();
    const first = await login(user);
    const second = await login(user);
    expect(second.session).not.toBe(first.session);
    expect(await close(await context('session.close', first.session))).toEqual({
      closed: true,
      lasts: true,
      everywhere: null,
    });
    await expect(context('session.info', first.session)).rejects.toEqual(
      expect.objectContaining({ kind: 'SESSION_EXPIRED' }),
    );
    await info(await context('session.info', second.session));
    expect(registry.stats.size).toBe(1);
    await close(await context('session.close', second.session));
    expect(registry.stats.size).toBe(0);
    await waitFor(async () => expect((await dovecot.who()).get(user) ?? 0).toBe(0));
  });

  it('leaves no session behind when its caller goes away while it is being opened', async () => {
    const { context, sessions } = broker(dovecot.server());
    const opening = vi.spyOn(sessions, 'open');
    const closing = vi.spyOn(sessions, 'close');
    const controller = new AbortController();
    const base = await context('session.open');
    opening.mockImplementationOnce((proven) => {
      const opened = SealedSessions.prototype.open.call(sessions, proven);
      controller.abort(new Error('gone'));
      return opened;
    });
    const params = { server: 'dovecot', user: newUser(), auth: { password: PASSWORD } };
    await expect(open({ ...base, signal: controller.signal }, params)).rejects.toThrow('gone');
    expect(closing).toHaveBeenCalledOnce();
  });

  it('that cannot be opened although the login succeeded leaves no connection', async () => {
    const { login, registry, sessions } = broker(dovecot.server());
    vi.spyOn(sessions, 'open').mockRejectedValueOnce(new Error('no key'));
    await expect(login(newUser())).rejects.toThrow('no key');
    await waitFor(() => expect(registry.caps.total).toBe(0));
    expect(registry.stats.size).toBe(0);
  });

  it('lives although the last one before it ends while its credentials are proven', async () => {
    const { login, context, registry } = broker(dovecot.server());
    const user = newUser();
    const first = await login(user);
    const opening = login(user);
    await close(await context('session.close', first.session));
    const { session } = await opening;
    expect(await info(await context('session.info', session))).toMatchObject({ user });
    await close(await context('session.close', session));
    await waitFor(() => expect(registry.caps.total).toBe(0));
    expect(registry.stats.size).toBe(0);
  });

  it('is not opened when its application has as many in use as it may have', async () => {
    const { login, context, sessions } = broker(dovecot.server());
    vi.spyOn(sessions, 'count').mockReturnValue(50_000);
    await expect(login(newUser())).rejects.toMatchObject({
      kind: 'RATE_LIMITED',
      executed: 'no',
      retryAfterMs: 60_000,
    });
    vi.mocked(sessions.count).mockRestore();
    const { session } = await login(newUser());
    expect(sessions.count('acme')).toBe(1);
    await close(await context('session.close', session));
    expect(sessions.count('acme')).toBe(0);
  });
});
