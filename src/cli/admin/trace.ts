import type { Client, Result, TraceEvent } from '../../client/index.js';
import type { AdminContext, AdminWork } from '../admin.js';
import { CliError, exitCodes } from '../output.js';
import { untilSignal } from '../until-signal.js';

/** Milliseconds between two checks whether the broker is still there, and for its answers. */
const LOOK_MS = 2_000;
const ANSWER_MS = 10_000;

/** `imap-broker trace USER`: one user's requests as they are answered, until it is interrupted. */
export const trace: AdminWork = async (context) => {
  const { client, args, options, output, onHello, onTrace } = context;
  const [user = ''] = args;
  const tenant = options.tenant as string | undefined;
  const server = (options.server as string | undefined) ?? (await onlyServer(client));
  const begin = () => client.trace.start({ user, server, tenant, timeoutMs: ANSWER_MS });
  const interrupted = untilSignal();
  onTrace.add((event) => output.out(eventLine(event, context)));
  try {
    await begin();
    output.err(`tracing ${user} at ${server}; Ctrl-C ends it\n`);
    let lost = false;
    onHello.add(() => {
      lost = true;
    });
    while (!(await interrupted.within(LOOK_MS))) {
      await client.broker.status({ timeoutMs: ANSWER_MS });
      if (!lost) continue;
      // A trace ends with its socket: the broker was restarted.
      await begin();
      lost = false;
      output.err('the broker was away; requests in between were not seen\n');
    }
  } finally {
    interrupted.dispose();
  }
  return undefined;
};

async function onlyServer(client: Client): Promise<string> {
  const { servers }: Result<'server.list'> = await client.server.list({});
  const [first, ...others] = servers.map(({ name }) => name);
  if (first !== undefined && others.length === 0) return first;
  throw new CliError(`trace needs --server: one of ${[first, ...others].join(', ')}.`, exitCodes.usage);
}

function eventLine(event: TraceEvent, { json }: AdminContext): string {
  if (json) return `${JSON.stringify(event)}\n`;
  const { at, tenant, socket, request, method, ms, outcome, source, explain, missed } = event;
  const steps = explain && [
    ...(['queue', 'connect', 'select', 'command'] as const).map((step) => `${step} ${explain[`${step}Ms`]}`),
    `on ${explain.connection}`,
    explain.commands.join(', '),
  ];
  const parts = [at, tenant, `${socket}/${request}`, method, `${ms} ms`, outcome, source ?? '-', ...(steps ?? [])];
  const gap = missed > 0 ? `... ${missed} requests are not shown: there were too many\n` : '';
  return `${gap}${parts.join('  ')}\n`;
}
