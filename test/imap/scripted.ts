import { onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import { type ScriptedOptions, type ScriptedServer, startScriptedServer } from '../support/scripted-server.js';

export const SECRET = 'open-sesame';
export const alice = { user: 'alice', password: SECRET };

/** A scripted server that ends with the test. */
export async function scripted(options: ScriptedOptions = {}): Promise<ScriptedServer> {
  const server = await startScriptedServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** A connection that ends with the test. */
export async function opened(server: ScriptedServer, overrides: Partial<ServerOptions> = {}): Promise<ImapConnection> {
  const connection = await ImapConnection.open('1', server.server(overrides), alice);
  onTestFinished(() => connection.close());
  return connection;
}

/** Whether the server ever saw the password, in whatever form it is sent. */
export function sawSecret(bytes: Buffer): boolean {
  const plain = Buffer.from(`\0${alice.user}\0${SECRET}`).toString('base64');
  return [SECRET, plain, Buffer.from(SECRET).toString('base64')].some((form) => bytes.includes(form));
}

/** Resolves when a command has reached the server. */
export function received(server: ScriptedServer, name: string): Promise<void> {
  return new Promise((resolve) => {
    const before = server.on[name];
    server.on[name] = (command, connection) => {
      if (before) void before(command, connection);
      resolve();
    };
  });
}
