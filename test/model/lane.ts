import { setImmediate as turn } from 'node:timers/promises';
import type { MethodName, ParamsIn, Result } from '../../src/protocol/contract.js';
import { accountKey } from '../../src/runtime/account-key.js';
import { LeanImap } from '../support/lean-imap.js';
import { RawClient, runBroker } from '../support/running-broker.js';
import { startTappedRelay, type TappedRelay } from '../support/tapped-relay.js';
import type { Manners } from '../support/unoffered.js';
import { upstream } from '../support/upstream.js';
import { arrivalOf, mailOf } from './mails.js';
import type { Served } from './served.js';
import { readSnapshot, type State, snapshotCommands } from './state.js';

type Asked<M extends MethodName> = Omit<ParamsIn<M>, 'session'>;

/** Asks the broker for a user, over one of two sockets of different sessions. */
export type Ask = <M extends MethodName>(socket: number, method: M, params: Asked<M>) => Promise<Result<M>>;

/** A deadline that is only met when something hangs. */
export const HANGS_MS = 10_000;

/** Commands that may take messages away. */
const TAKES = /^\S+ (?:UID EXPUNGE|EXPUNGE|CLOSE|UID MOVE|MOVE|DELETE) ?/i;
/** Commands that may make a folder. */
export const MAKES = / (?:CREATE|RENAME) /;

/** One user, to whom one history after the other happens: through a broker on the one side, by another client on the other. */
export interface Lane {
  readonly served: Served;
  readonly user: string;
  /** The server's name at the broker. */
  readonly server: string;
  /** Of the broker, for more sockets. */
  readonly url: string;
  readonly ask: Ask;
  /** As {@link Ask}, for a method that the contract may not have. */
  readonly askPlainly: (socket: number, method: string, params: Record<string, unknown>) => Promise<unknown>;
  /** Whether the broker has mailbox.changes. */
  readonly tellsChanges: boolean;
  readonly tally: {
    histories: number;
    commands: number;
    changes: number;
    complete: number;
    lostWrites: number;
    lostReads: number;
    spoiled: number;
    surprises: number;
    failures: number;
  };
  /** The other mail client, which is also who looks how things are. */
  other(): LeanImap;
  /** Logs the other client in again, where a history before has ended its connection. */
  revive(): Promise<void>;
  readonly relay: TappedRelay;
  /** How many commands the broker has sent that may take messages away. */
  takings(): number;
  /** How many commands the broker has sent that may make a folder. */
  makings(): number;
  /** Forgets all that the broker knows of folders. */
  forget(): void;
  /** Breaks all of the broker's connections, when none is at work, and resolves when the broker has noticed. */
  dropConnections(): Promise<void>;
  /** A name of a folder that no history had. */
  newName(index: number): string;
  /** The command that stores a message, with its literal. */
  append(name: string, content: number, flags: readonly string[]): string;
  /** Sends commands of the other client, and answers what folders are then. */
  observe(commands: readonly string[], names: readonly string[]): Promise<State[]>;
}

/**
 * Lanes on one broker, each with a relay of its own in front of the server.
 * @param onLine called with each command of the broker, and with what makes the broker forget all that it knows of mail
 */
export async function openLanes(
  served: Served,
  count: number,
  manners: Manners,
  onLine: (line: string, forget: () => void) => void = () => {},
): Promise<{ lanes: Lane[]; close(): Promise<void> }> {
  const { server: mail } = served;
  const takings = Array.from({ length: count }, () => 0);
  const makings = Array.from({ length: count }, () => 0);
  const relays = await Promise.all(
    takings.map((_, index) =>
      startTappedRelay(mail.plainPort, (line) => {
        manners.take(line);
        if (TAKES.test(line)) takings[index] = (takings[index] ?? 0) + 1;
        if (MAKES.test(line)) makings[index] = (makings[index] ?? 0) + 1;
        onLine(line, forget);
      }),
    ),
  );
  const forget = () => broker.views.shed(0);
  const servers = relays.map(({ port }, index) => upstream(`lane${index}`, port, { tls: 'none' }));
  const broker = await runBroker(mail, {
    servers,
    watchTimes: { heartbeatMs: 120_000, pollMs: 100, quietMs: 5, retryMs: 5, stayMs: 0 },
    pool: { stayMs: 0 },
    // Folders of the histories before would be looked at all the time.
    watches: { lingerMs: 1 },
  });
  const sockets = await Promise.all([RawClient.open(broker.url), RawClient.open(broker.url)]);
  const { methods = [] } = (await sockets[0].request('rpc.discover', {}).answer) as { methods?: { name: string }[] };
  const tellsChanges = methods.some(({ name }) => name === 'mailbox.changes');
  const lanes = await Promise.all(
    relays.map(async (relay, index): Promise<Lane> => {
      const user = mail.user();
      const server = `lane${index}`;
      const sessions = await Promise.all(
        sockets.map(async (socket) => {
          const auth = { password: mail.password };
          const { session } = await socket.call('session.open', { server, user, auth });
          return session;
        }),
      );
      const askPlainly = (socket: number, method: string, params: Record<string, unknown>) => {
        const client = sockets[socket];
        if (!client) throw new Error(`no socket ${socket}`);
        return client.request(method, { timeoutMs: HANGS_MS, ...params, session: sessions[socket] }).answer;
      };
      const login = () => LeanImap.open(mail.plainPort, user, mail.password);
      let other = await login();
      const key = accountKey({ tenant: 'webmail', server: { name: server }, user });
      let names = 0;
      return {
        served,
        user,
        server,
        url: broker.url,
        ask: askPlainly as Ask,
        askPlainly,
        other: () => other,
        revive: async () => {
          if (!other.open) other = await login();
        },
        relay,
        takings: () => takings[index] ?? 0,
        makings: () => makings[index] ?? 0,
        tellsChanges,
        tally: {
          histories: 0,
          commands: 0,
          changes: 0,
          complete: 0,
          lostWrites: 0,
          lostReads: 0,
          spoiled: 0,
          surprises: 0,
          failures: 0,
        },
        forget,
        dropConnections: async () => {
          const stats = () => broker.registry.get(key)?.stats ?? { connecting: 0, idle: 0, busy: 0 };
          while (stats().connecting > 0) await turn();
          relay.cutAll();
          while (stats().idle + stats().busy > 0) await turn();
        },
        newName: (place) => {
          names += 1;
          return `${served.prefix}m${names}${'abc'[place]}`;
        },
        append: (name, content, flags) => {
          const mail = mailOf(content);
          const octets = served.offered.has('LITERAL+') ? `{${mail.length}+}` : `{${mail.length}}`;
          return `APPEND "${name}" (${flags.join(' ')}) "${arrivalOf(content)}" ${octets}\r\n${mail}`;
        },
        observe: async (commands, folders) => {
          const snapshots = folders.map(snapshotCommands);
          const replies = await other.send(...commands, ...snapshots.flat());
          replies.splice(0, commands.length);
          return snapshots.map(({ length }) => readSnapshot(replies.splice(0, length)));
        },
      };
    }),
  );
  const close = async () => {
    await Promise.all(lanes.map(({ other }) => other().close()));
    await Promise.all(sockets.map((socket) => socket.close()));
    await broker.stop();
    await Promise.all(relays.map((relay) => relay.close()));
  };
  return { lanes, close };
}
