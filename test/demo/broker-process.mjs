// @ts-check
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../dist/bin/imap-broker.js', import.meta.url));

/**
 * Starts `imap-broker serve` in front of an IMAP server at a local port.
 * @param {number} imapPort
 */
export async function startBroker(imapPort) {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-demo-'));
  const { token, hash } = newToken();
  const config = join(folder, 'config.toml');
  writeFileSync(config, configuration(imapPort, hash));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const broker = await serve(config);
    const stop = async () => {
      const code = await broker.end('SIGTERM');
      remove();
      return code;
    };
    return { token, url: broker.url, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A bearer token, and what the configuration has of it. */
export function newToken() {
  const token = randomBytes(24).toString('base64url');
  return { token, hash: createHash('sha256').update(token).digest('hex') };
}

/**
 * Runs the built broker with a configuration, until it listens.
 * @param {string} config path of the file
 */
export async function serve(config) {
  const child = spawn(process.execPath, [program, 'serve', '--config', config, '--log-level', 'info'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C in a terminal goes to all; the demo itself ends the broker, once it is done with it.
    detached: true,
    env: { ...process.env, IMAP_BROKER_CONFIG: undefined, IMAP_BROKER_TOKEN: undefined },
  });
  const exit = once(child, 'exit');
  /** @param {NodeJS.Signals} signal @returns {Promise<number | null>} its exit code; null after a signal that it does not handle */
  const end = async (signal) => {
    child.kill(signal);
    const [code] = await exit;
    return code;
  };
  try {
    return { url: await address(child, exit), end };
  } catch (error) {
    await end('SIGTERM');
    throw error;
  }
}

/** @param {number} port @param {string} hash */
function configuration(port, hash) {
  return `[[listener]]
host = "127.0.0.1"
port = 0

[[server]]
name = "demo"
host = "127.0.0.1"
port = ${port}
tls = "none"

[[tenant]]
name = "webmail"
token_hashes = ["${hash}"]
`;
}

/**
 * The address that the broker's log names.
 * @param {import('node:child_process').ChildProcess} child @param {Promise<unknown>} exit
 * @returns {Promise<string>}
 */
function address(child, exit) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
      text += more;
      const [, url] = /"urls":\["([^"]+)"/.exec(text) ?? [];
      if (url) resolve(url);
    });
    void exit.then(() => reject(new Error(`The broker did not start: ${text}`)));
  });
}
