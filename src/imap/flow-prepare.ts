import type { ImapFlow } from 'imapflow';
import { insideOf } from './flow-inside.js';
import { installFlowReader } from './flow-reader.js';
import { slim } from './flow-slim.js';

/** Makes an imapflow that has just logged in as the rest of this folder takes it. */
export function prepare(flow: ImapFlow): void {
  // With it imapflow puts the personal prefix before every name, also before those of other users' folders.
  flow.namespace = undefined;
  // imapflow writes the CRLF behind a large literal by itself, and Nagle would hold it back for 40 ms.
  insideOf(flow).socket.setNoDelay(true);
  installFlowReader(flow);
  slim(flow);
}
