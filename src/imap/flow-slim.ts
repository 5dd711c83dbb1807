import type { ImapFlow } from 'imapflow';

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  /** What `capabilities` was made from; nothing reads it. */
  rawCapabilities: unknown[] | null;
  /** Once logged in, imapflow replaces it when the server tells anew, and never changes one that is there. */
  capabilities: Map<string, boolean | number>;
}

/** Servers say the same to all; one that does not must not fill the memory. */
const MOST = 100;
const known = new Map<string, FlowInside['capabilities']>();

/** Has a connection that is logged in share what its server told to others before, some 4 KiB for each. */
export function slim(flow: ImapFlow): void {
  const inside = flow as unknown as FlowInside;
  inside.rawCapabilities = null;
  const key = JSON.stringify([...inside.capabilities]);
  const kept = known.get(key);
  if (kept) {
    inside.capabilities = kept;
    return;
  }
  if (known.size >= MOST) known.clear();
  known.set(key, inside.capabilities);
}
