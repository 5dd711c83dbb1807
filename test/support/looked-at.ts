import type { OperatorView } from '../../src/methods/operators/operator-view.js';
import { Tracing } from '../../src/methods/operators/tracing.js';
import { Load } from '../../src/runtime/load.js';
import { Slowest } from '../../src/runtime/slowest.js';

/** The part of a session store that operators see, with nothing in it. */
export const noSessionsSeen = { live: new Map(), totals: { sessions: 0, accounts: 0, limit: 1 }, countOf: () => 0 };

/** What operators see of a broker without anything. */
export function emptyOperatorView(): OperatorView {
  return {
    load: new Load(),
    slowest: new Slowest(20, 300_000, 5),
    tracing: new Tracing(),
    sockets: [],
    socketLimit: 1,
    draining: false,
    settings: [],
  };
}
