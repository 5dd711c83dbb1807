// A client that floods: many callers that ask again at once whatever they are answered, until it is ended.
import { setPriority } from 'node:os';
import { createClient } from '../../src/client/index.js';

const CALLERS = 64;
/** Between two requests of a caller; without it the client would be busy with itself alone. */
const PAUSE_MS = 1;
const [url = '', token = '', session = ''] = process.argv.slice(2);
const mail = createClient({ url, token }).withSession(session);

async function ask(): Promise<never> {
  for (;;) {
    await mail.message.list({ mailbox: 'INBOX' }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

// What it costs the machine is not the question, only what it costs the broker: floods come from elsewhere.
setPriority(19);
process.stdout.write('flooding\n');
for (let count = 0; count < CALLERS; count += 1) void ask();
