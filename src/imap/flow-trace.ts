import type { ImapFlow } from 'imapflow';
import type { Trace } from '../runtime/trace.js';

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  exec(command: string, attributes?: unknown, options?: unknown): Promise<unknown>;
}

/** Has the commands of a connection measured for whoever has it, where somebody wants to know. */
export function traceCommands(flow: ImapFlow, traceOf: () => Trace | undefined): void {
  const inside = flow as unknown as FlowInside;
  const exec = inside.exec.bind(flow);
  inside.exec = (command, attributes, options) => {
    const trace = traceOf();
    const done = exec(command, attributes, options);
    if (trace) {
      const begun = performance.now();
      const note = () => trace.command(command, performance.now() - begun);
      done.then(note, note);
    }
    return done;
  };
}
