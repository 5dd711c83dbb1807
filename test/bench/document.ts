import { markdownTable, type Section, targetTable } from './report.js';

export interface Results {
  date: string;
  seconds: number;
  machine: Record<string, string>;
  sections: readonly Section[];
}

/** The page docs/performance.md. */
export function document({ date, seconds, machine, sections }: Results): string {
  return `# Performance

Written by \`npm run bench\`, on ${date.slice(0, 10)}, in ${seconds} seconds. The same on your own machine:

\`\`\`sh
npm run bench              # all of it, and writes this page
npm run bench -- --quick   # under a minute, prints alone
npm run bench -- --json results.json
\`\`\`

${Object.entries(machine)
  .map(([what, value]) => `- ${what}: ${value}`)
  .join('\n')}

## How it is measured

A real Dovecot with the same mail for each way, made in the same bytes each time; the broker as a process of its own on a Unix socket; the
callers in a third process, through the typed client. All on the same two cores, so that what the client costs counts as much as what
the broker costs. Ways that keep a process alive are first called 1,000 times where a call is short and can be repeated, so that their
code is compiled, as it is in daemons that run for weeks. Ways take turns, A B C A B C, in many rounds; the tables have medians over all
rounds. With several callers each
asks again as soon as it is answered.

- connect per click: imapflow over TLS connects, logs in, selects, does one thing and logs out.
- imapproxy per click: the same through Debian's imapproxy on the same machine, without TLS, which keeps the connections to the server.
  It does not set TCP_NODELAY: with the delayed acknowledgements of the other side a command in two segments waits some 40 ms.
  Its queue of connections not yet taken holds five: of many callers at once some wait a second for TCP to try again, some are refused.
- warm imapflow: one connection over TLS that is logged in, has the INBOX selected and has no other work. It is what a broker is
  compared with, although a short-lived worker cannot have it. Several callers share it and queue for it, as in one process of a web
  application.
- broker: its connections to Dovecot are over TLS too.

## What is wanted, and what is there

${markdownTable(targetTable(sections))}
${sections.map(({ title, text, table }) => `\n## ${title}\n\n${text}\n\n${markdownTable(table)}\n`).join('')}`;
}
