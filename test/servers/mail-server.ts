import type { MethodName, ParamsIn, Result } from '../../src/protocol/contract.js';
import { outcomeOf } from '../model/expected.js';
import { mailOf } from '../model/mails.js';
import { startCourier } from '../support/courier.js';
import { startCyrus } from '../support/cyrus.js';
import { startDovecot } from '../support/dovecot.js';
import { LeanImap } from '../support/lean-imap.js';
import { RawClient, runBroker } from '../support/running-broker.js';
import { startTappedRelay, type TappedRelay } from '../support/tapped-relay.js';
import type { TestServer } from '../support/test-server.js';
import { upstream } from '../support/upstream.js';

export const serverNames = ['Dovecot', 'Cyrus', 'Courier'] as const;
export type ServerName = (typeof serverNames)[number];

/** A real mail server behind a broker. */
export interface ServedMail {
  name: ServerName;
  relay: TappedRelay;
  /** What the broker has said to the server. */
  lines: readonly string[];
  /** A new user. */
  guest(): Promise<Guest>;
  stop(): Promise<void>;
}

/** A user who reads through the broker, and whose other client makes changes. */
export interface Guest {
  client: RawClient;
  session: string;
  ask<M extends MethodName>(method: M, params: Omit<ParamsIn<M>, 'session'>): Promise<Result<M>>;
  /** What a request comes to: the kind of its error, or `ok`. */
  kindOf(method: MethodName, params: Record<string, unknown>): Promise<string>;
  /** The name of a folder, as the server wants it. */
  named(name: string): string;
  /** The other client makes a folder with messages. */
  make(folder: string, messages?: number): Promise<void>;
  /** The other client sends commands, none of which may be refused. */
  other(...commands: string[]): Promise<void>;
  /** Stores a message by the other client, and resolves when the server has said that it is there. */
  append(folder: string, content?: number): Promise<void>;
  /** Changes messages of a folder by the other client, which leaves the folder then. */
  change(folder: string, ...commands: string[]): Promise<void>;
}

/** Starts a mail server and a broker in front of it. */
export async function serve(name: ServerName): Promise<ServedMail> {
  const server: TestServer = await { Dovecot: startDovecot, Cyrus: startCyrus, Courier: startCourier }[name]();
  const lines: string[] = [];
  const relay = await startTappedRelay(server.plainPort, (line) => lines.push(line));
  const broker = await runBroker(server, {
    servers: [upstream('mail', relay.port, { tls: 'none' })],
    watchTimes: { heartbeatMs: 1000, pollMs: 200, quietMs: 5, retryMs: 5, stayMs: 0 },
    pool: { stayMs: 0 },
    checkResults: true,
  });
  const closers: (() => Promise<void>)[] = [];
  return {
    name,
    relay,
    lines,
    guest: async () => {
      const client = await RawClient.open(broker.url);
      closers.push(() => client.close());
      const user = server.user();
      const other = await LeanImap.open(server.plainPort, user, server.password);
      closers.push(() => other.close());
      const auth = { password: server.password };
      const { session } = await client.call('session.open', { server: 'mail', user, auth });
      return newGuest(name, client, session, other);
    },
    stop: async () => {
      await Promise.all(closers.map((close) => close()));
      await broker.stop();
      await relay.close();
      await server.stop();
    },
  };
}

function newGuest(name: ServerName, client: RawClient, session: string, mail: LeanImap): Guest {
  const ask: Guest['ask'] = (method, params) => client.call(method, { ...params, session } as never);
  const other: Guest['other'] = async (...commands) => {
    for (const command of commands) {
      if (name === 'Courier' && command.startsWith('DELETE ')) await deleteOnCourier(mail, command);
      else await mail.all(command);
    }
  };
  const append: Guest['append'] = (folder, content = 0) => {
    const text = mailOf(content);
    return other(`APPEND "${folder}" {${text.length}}\r\n${text}`);
  };
  const make: Guest['make'] = async (folder, messages = 0) => {
    await other(`CREATE "${folder}"`);
    for (let content = 0; content < messages; content += 1) await append(folder, content);
  };
  return {
    client,
    session,
    ask,
    kindOf: async (method, params) => {
      const outcome = await outcomeOf(client.request(method, { ...params, session }).answer);
      return 'error' in outcome ? outcome.error : 'ok';
    },
    named: (folder) => (name === 'Courier' ? `INBOX.${folder}` : folder),
    make,
    other,
    append,
    change: (folder, ...commands) => other(`SELECT "${folder}"`, ...commands, 'SELECT INBOX'),
  };
}

/**
 * Deletes a folder on Courier, which removes its files one by one and refuses where another connection of the folder has
 * written a file meanwhile. The command is given again then; a STATUS that is refused shows that the folder has gone.
 */
async function deleteOnCourier(mail: LeanImap, command: string): Promise<void> {
  for (let refusals = 0; ; refusals += 1) {
    const [reply] = await mail.send(command);
    if (reply?.status === 'OK') return;
    if (refusals === 5 || reply?.text !== 'Cannot delete this folder.') throw new Error(`${command}: ${reply?.text}`);
    const [status] = await mail.send(`${command.replace('DELETE', 'STATUS')} (MESSAGES)`);
    if (status?.status === 'NO') return;
  }
}
