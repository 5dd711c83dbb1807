import { serve } from '@hono/node-server';
import { createClient } from 'imap-broker/client';
import { webmail } from './app.js';

const { IMAP_BROKER_URL: url, IMAP_BROKER_TOKEN: token, IMAP_SERVER = 'demo', PORT = '3000' } = process.env;
const say = (line: string) => process.stderr.write(`${line}\n`);
if (!url || !token) {
  say('Set IMAP_BROKER_URL and IMAP_BROKER_TOKEN, as `npm run demo -- --keep` or `imap-broker serve` prints them.');
  process.exit(2);
}

// One client, and so one socket, for all users of this process. It reconnects by itself.
const client = createClient({ url, token, timeoutMs: 10_000 });
await client.broker
  .ping({ timeoutMs: 3000 })
  .catch((error: Error) => say(`The broker does not answer yet; the pages say so until it does. ${error.message}`));

// On loopback: a reverse proxy with TLS belongs in front of it before other machines may use it.
const server = serve({ fetch: webmail(client, IMAP_SERVER).fetch, hostname: '127.0.0.1', port: Number(PORT) }, (at) =>
  say(`The webmail is at http://127.0.0.1:${at.port}`),
);
server.on('error', (error) => {
  say(`${error.message}. PORT chooses another port.`);
  process.exit(1);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    client.close();
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}
