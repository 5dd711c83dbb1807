import type { Socket } from 'node:net';
import type { ImapFlow } from 'imapflow';

/** The part of imapflow's inside that connections rest on; imapflow's version is pinned because of it. */
interface FlowInside {
  requestTagMap: Map<string, unknown>;
  parkedRelease: (() => void) | null;
  authCapabilities: Map<string, boolean>;
  socket: Socket;
  _throttleWaits: Set<{ resolve(aborted: boolean): void }>;
  folders: Map<string, { path: string }>;
  run(command: 'CLOSE', options: { unselect: boolean }): Promise<boolean | undefined>;
}

export function insideOf(flow: ImapFlow): FlowInside {
  return flow as unknown as FlowInside;
}
