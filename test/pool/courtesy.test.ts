import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import type { Registry } from '../../src/pool/registry.js';
import type { BrokerError } from '../../src/protocol/errors.js';
import type {
  ScriptedConnection,
  ScriptedHandler,
  ScriptedOptions,
  ScriptedServer,
} from '../support/scripted-server.js';
import { virtualTime } from '../support/virtual-time.js';
import { waitFor } from '../support/wait-for.js';
import { job, proven } from './fixtures.js';
import { busy, errorOf, scripted, select } from './scripted-account.js';

/** Logins of a user that came to the server. */
const loginsOf = (server: ScriptedServer, user: string) =>
  server.received.filter((line) => line.includes(`LOGIN "${user}"`) || line.includes(`LOGIN ${user} `)).length;

/** Refuses the logins of one user. */
const refusing =
  (server: ScriptedServer, user: string, refuse: ScriptedHandler): ScriptedHandler =>
  (command, peer) =>
    command.args.includes(user) ? refuse(command, peer) : server.answer(command, peer);

const no =
  (text: string): ScriptedHandler =>
  (command, peer) =>
    peer.no(command, text);

describe('one user whose account is broken', () => {
  it.each([
    'Internal error occurred. Refer to server log for more information.',
    '[CONTACTADMIN] Your mailbox is broken',
    '[UNAVAILABLE] Account is temporarily unavailable.',
    '[OVERQUOTA] Mailbox is full',
    'Account is temporarily locked',
  ])('costs nobody else anything, and the server one login: %s', async (text) => {
    const { server, registry } = await scripted();
    server.on.LOGIN = refusing(server, 'broken', no(text));
    const others = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const error = await errorOf(proven(registry, server.server(), { user: 'broken' }));
      expect(error).toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', executed: 'no' });
      expect(error.imap?.text).toBe(text.replace(/^\[\w+\] /, ''));
      expect(error.retryAfterMs).toBeGreaterThan(0);
      others.push(await proven(registry, server.server(), { user: `other${turn}` }));
    }
    for (const other of others) await other.run(job(), select);
    expect(loginsOf(server, 'broken')).toBe(1);
    expect(server.accepted).toBe(21);
    expect(registry.servers.get('scripted')).toEqual({ state: 'closed', failures: 0, retryAfterMs: 0 });
  });

  it('is told by the server what is wrong when its work needs a connection, at once', async () => {
    const { server, registry } = await scripted();
    const account = await proven(registry, server.server(), { user: 'broken' });
    await account.evictIdle();
    server.on.LOGIN = no('Internal error');
    const jobs = Array.from({ length: 20 }, () => errorOf(account.run(job(), select)));
    for (const error of await Promise.all(jobs)) expect(error.imap?.text).toBe('Internal error');
    for (let turn = 0; turn < 20; turn += 1) {
      expect((await errorOf(account.run(job(), select))).imap?.text).toBe('Internal error');
    }
    // As many as may be made at once for the twenty that wait.
    expect(loginsOf(server, 'broken')).toBeLessThanOrEqual(1 + 3);
  });
});

describe('a server that takes no login of a user', () => {
  /** Asks once a second for ten minutes; when the logins came, in seconds. */
  async function asking(registry: Registry, server: ScriptedServer, account: Account, text: string) {
    const { pass } = virtualTime();
    const at: number[] = [];
    let asked = 0;
    const errors: BrokerError[] = [];
    let before = loginsOf(server, 'anna');
    await pass(600_000, (passedMs) => {
      if (passedMs % 1_000 !== 0) return;
      const came = loginsOf(server, 'anna');
      if (came > before) at.push(passedMs / 1_000);
      before = came;
      asked += 1;
      const open = () => proven(registry, server.server(), { user: 'anna' });
      void errorOf(passedMs % 2_000 === 0 ? account.run(job(), select) : open()).then((error) => errors.push(error));
    });
    expect(errors).toHaveLength(asked);
    for (const error of errors) {
      expect(error).toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', executed: 'no', imap: { text } });
      expect(error.message).toContain(text);
      expect(error.retryAfterMs).toBeGreaterThan(0);
    }
    return at;
  }

  const bye =
    (text: string): ScriptedHandler =>
    (_command, peer) => {
      peer.send(`* BYE ${text}`);
      peer.end();
    };

  // Half a minute, a minute, two, four: 300 logins were 300 reasons to keep the user locked out.
  it.each([
    ['Too many failed login attempts', no('Too many failed login attempts'), 5],
    ['LOGIN Rate limit hit.', no('[LIMIT] LOGIN Rate limit hit.'), 5],
    ['Too many login failures', bye('Too many login failures'), 5],
    ['Temporary System Error', bye('Temporary System Error'), 16],
  ])(
    'is asked less and less often, and requests are answered at once: %s',
    async (text, refuse, most) => {
      const { server, registry } = await scripted();
      const account = await proven(registry, server.server(), { user: 'anna' });
      await account.evictIdle();
      server.on.LOGIN = refusing(server, 'anna', refuse);
      const at = await asking(registry, server, account, text);
      expect(at.length).toBeGreaterThanOrEqual(4);
      expect(at.length).toBeLessThanOrEqual(most);
      const [first = 0, second = 0, third = 0, fourth = 0] = at;
      expect(third - second).toBeGreaterThan(second - first);
      expect(fourth - third).toBeGreaterThan(third - second);
      expect(registry.servers.get('scripted')).toMatchObject({ state: 'closed', failures: 0 });
    },
    30_000,
  );

  it('because others have all connections that the user may have, is waited for, but not asked all the time', async () => {
    const { server, registry } = await scripted();
    const account = await proven(registry, server.server(), { user: 'anna' });
    await account.evictIdle();
    const text = 'Maximum number of connections from user+IP exceeded';
    server.on.LOGIN = no(`[LIMIT] ${text}`);
    const before = loginsOf(server, 'anna');
    const { pass, until } = virtualTime();
    const errors: BrokerError[] = [];
    await pass(120_000, (passedMs) => {
      if (passedMs % 2_000 !== 0 || passedMs > 90_000) return;
      const waiting = job({ deadlineAt: Date.now() + 20_000 });
      void errorOf(account.run(waiting, select)).then((error) => errors.push(error));
    });
    // 2 s, 4, 8 and so on; 60 before.
    const logins = loginsOf(server, 'anna') - before;
    expect(logins).toBeLessThanOrEqual(8);
    expect(errors).toHaveLength(46);
    const refused = errors.filter(({ kind }) => kind === 'UPSTREAM_UNAVAILABLE');
    for (const error of refused) expect(error).toMatchObject({ imap: { text } });
    // A request may have its deadline while a login is under way: whether the server still refuses is not known then.
    const late = errors.filter(({ kind }) => kind === 'DEADLINE');
    expect(late.length).toBeLessThanOrEqual(logins);
    expect(refused.length + late.length).toBe(46);
    delete server.on.LOGIN;
    await pass(61_000);
    const last = account.run(job(), select);
    await until(last);
    expect((await last).path).toBe('INBOX');
  });

  it('lets the connections that there are serve on', async () => {
    const { server, registry } = await scripted();
    const account = await proven(registry, server.server(), { user: 'anna' });
    server.on.LOGIN = no('Too many failed login attempts');
    const first = await busy(account);
    const waiting = Array.from({ length: 5 }, () => account.run(job(), select));
    await waitFor(() => expect(loginsOf(server, 'anna')).toBeGreaterThan(1));
    await errorOf(proven(registry, server.server(), { user: 'anna' }));
    await first.end();
    for (const selected of await Promise.all(waiting)) expect(selected.path).toBe('INBOX');
    expect(loginsOf(server, 'anna')).toBeLessThanOrEqual(3);
  });

  it('is asked again as soon as it has taken a login', async () => {
    const { server, registry } = await scripted();
    const { until, pass } = virtualTime();
    const refuse = refusing(server, 'anna', no('Too many failed login attempts'));
    server.on.LOGIN = refuse;
    const open = () => errorOf(proven(registry, server.server(), { user: 'anna' }));
    const first = open();
    await until(first);
    await pass(30_000);
    delete server.on.LOGIN;
    const opening = proven(registry, server.server(), { user: 'anna' });
    await until(opening);
    await pass(1_000);
    server.on.LOGIN = refuse;
    await (await opening).evictIdle();
    const again = open();
    await until(again);
    expect((await again).retryAfterMs).toBeLessThanOrEqual(30_000);
  });
});

it('a request that waits on after the pause of its account is told of that pause no more', async () => {
  const { server, registry } = await scripted();
  const account = await proven(registry, server.server(), { user: 'anna' });
  const held = await busy(account);
  const { pass, until } = virtualTime();
  server.on.LOGIN = no('[LIMIT] Maximum number of connections exceeded');
  const waiting = errorOf(account.run(job({ deadlineAt: Date.now() + 6_000 }), select));
  const brief = errorOf(account.run(job({ deadlineAt: Date.now() + 1_000 }), select));
  await until(brief);
  expect(await brief).toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE', imap: { code: 'LIMIT' } });
  // The next login is under way: whether the server still refuses is not known.
  server.on.LOGIN = () => {};
  await pass(2_000);
  await until(waiting);
  expect((await waiting).kind).toBe('DEADLINE');
  await held.end();
});

describe('connections that end soon after their logins', () => {
  const ends: Record<string, (peer: ScriptedConnection) => void> = {
    'with BYE': (peer) => {
      peer.send('* BYE not today');
      peer.end();
    },
    'with an RST': (peer) => peer.reset(),
    'at once': (peer) => peer.end(),
  };

  it.each(Object.entries(ends))('%s cost fewer and fewer logins', async (_how, end) => {
    const { server, registry } = await scripted();
    const account = await proven(registry, server.server(), { user: 'anna' });
    const logins = server.accepted;
    const { pass } = virtualTime();
    for (const name of ['NOOP', 'SELECT']) server.on[name] = (_command, peer) => end(peer);
    const kinds = new Set<string>();
    let answered = 0;
    await pass(120_000, (passedMs) => {
      if (passedMs % 1_000 === 0)
        void errorOf(account.run(job({ deadlineAt: Date.now() + 60_000 }), select)).then(({ kind }) => {
          answered += 1;
          kinds.add(kind);
        });
    });
    expect(answered).toBe(120);
    expect([...kinds].sort()).toEqual(['CONNECTION_LOST', 'UPSTREAM_UNAVAILABLE']);
    // 240 before: each request tried two.
    expect(server.accepted - logins).toBeLessThanOrEqual(12);
  });

  it('in the very login as well', async () => {
    const { server, registry } = await scripted();
    server.on.LOGIN = async (command, peer) => {
      await server.answer(command, peer);
      peer.reset();
    };
    const { pass } = virtualTime();
    await pass(60_000, (passedMs) => {
      if (passedMs % 500 === 0) proven(registry, server.server(), { user: 'anna' }).catch(() => {});
    });
    // 120 before.
    expect(server.accepted).toBeLessThanOrEqual(12);
    expect(server.accepted).toBeGreaterThan(3);
    expect(registry.servers.get('scripted')).toMatchObject({ state: 'closed', failures: 0 });
  });
});

describe('a server that allows an address so many connections, and ends others without a greeting', () => {
  const most = 3;
  /** Courier's way. */
  const courier = (open: Set<ScriptedConnection>): ScriptedOptions => ({
    onConnect: (peer) => {
      if (open.size >= most) peer.end();
      else open.add(peer);
    },
  });

  /** Counts a connection for as long as its socket is there. */
  function counted() {
    const open = new Set<ScriptedConnection>();
    const purge = () => {
      for (const peer of open) if (!peer.open) open.delete(peer);
    };
    return { open, purge };
  }

  it('is found to have that limit, and no more are tried while others can give way', async () => {
    const { open, purge } = counted();
    const options = courier(open);
    const { server, registry } = await scripted({
      onConnect: (peer) => {
        purge();
        options.onConnect?.(peer);
      },
    });
    const limit = () => [registry.caps.limitOf('scripted'), registry.caps.learnedOf('scripted')];
    expect(limit()).toEqual([500, undefined]);
    const accounts = [];
    for (const user of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      accounts.push(await proven(registry, server.server(), { user }));
    }
    expect(limit()).toEqual([most, most]);
    // Three, the one too many, and one for each that gave way.
    expect(server.accepted).toBe(9);
    for (const account of accounts) await account.run(job({ deadlineAt: Date.now() + 5_000 }), select);
    expect(registry.servers.get('scripted')).toEqual({ state: 'closed', failures: 0, retryAfterMs: 0 });
    const refused = server.accepted - server.names().filter((name) => name === 'LOGIN').length;
    expect(refused).toBe(1);
    await registry.closeAll(1_000);
    expect(limit()).toEqual([500, undefined]);
  });

  it('and to say so, with what it said', async () => {
    let full = false;
    const { server, registry } = await scripted({
      onConnect: (peer) => {
        if (!full) return;
        full = false;
        peer.send('* BYE Too many connections from your IP');
        peer.end();
      },
    });
    const tried: unknown[] = [];
    registry.events.logins.add(({ error }) => error !== undefined && tried.push(error));
    const first = await proven(registry, server.server(), { user: 'a' });
    const held = await busy(first);
    full = true;
    const second = proven(registry, server.server(), { user: 'b' });
    await waitFor(() => expect(tried).toHaveLength(1));
    expect(tried[0]).toMatchObject({
      kind: 'UPSTREAM_UNAVAILABLE',
      message:
        'No connection to the IMAP server "scripted": Too many connections from your IP; 1 are open, and for now the broker keeps to so many.',
    });
    await held.end();
    await second;
  });

  it('counts as unreachable when it ends the only connection before its greeting', async () => {
    const { server, registry } = await scripted({ onConnect: (peer) => peer.end() });
    const error = await errorOf(proven(registry, server.server()));
    expect(error.message).toBe(
      'No connection to the IMAP server "scripted": it ended the connection before its greeting',
    );
    expect(registry.servers.get('scripted')).toMatchObject({ failures: 1 });
    expect(registry.caps.learnedOf('scripted')).toBeUndefined();
  });
});
