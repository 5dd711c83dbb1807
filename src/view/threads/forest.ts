import type { Threading } from '../../imap/messages/threads/thread.js';
import { breathe } from '../../imap/wire/turn-budget.js';
import type { Thread } from '../../protocol/methods/message-threads.js';

/** Most levels of replies in an answer; deeper replies are siblings on the last level: JSON parsers fail on a chain of a thousand. */
const MAX_DEPTH = 100;
/** Messages after which a turn may end. */
const PACE = 500;
/** Bytes of a forest besides its arrays, and of each array besides its numbers. */
const FOREST_BYTES = 800;

/**
 * The conversations of a folder in few bytes, those with the newest message first: each conversation is a range of the
 * nodes, in which every message stands before its replies.
 */
export interface Forest {
  /** 0 for a message that is not there. */
  uids: Uint32Array;
  depths: Uint8Array;
  /** The place of the message by date: higher is newer. */
  ranks: Uint32Array;
  /** By conversation: its first node, the one behind its last, and the rank of its newest message. */
  starts: Uint32Array;
  ends: Uint32Array;
  newest: Uint32Array;
}

/** Bytes in the heap. */
export function bytesOfForest({ uids, starts }: Forest): number {
  return FOREST_BYTES + uids.length * 9 + starts.length * 12;
}

/** Packs conversations, in turns. */
export async function packForest({ threads, byDate }: Threading): Promise<Forest> {
  const rankOf = new Map<number, number>();
  for (const [index, uid] of byDate.entries()) {
    rankOf.set(uid, index + 1);
    if (index % PACE === 0) await breathe();
  }
  const nodes = await walk(threads, rankOf);
  const order = await newestFirst(nodes.newest, byDate.length);
  const pick = (from: readonly number[]) => Uint32Array.from(order, (index) => from[index] ?? 0);
  return {
    uids: Uint32Array.from(nodes.uids),
    depths: Uint8Array.from(nodes.depths),
    ranks: Uint32Array.from(nodes.ranks),
    starts: pick(nodes.starts),
    ends: pick(nodes.ends),
    newest: pick(nodes.newest),
  };
}

interface Nodes {
  uids: number[];
  depths: number[];
  ranks: number[];
  starts: number[];
  ends: number[];
  newest: number[];
}

async function walk(threads: readonly Thread[], rankOf: ReadonlyMap<number, number>): Promise<Nodes> {
  const nodes: Nodes = { uids: [], depths: [], ranks: [], starts: [], ends: [], newest: [] };
  for (const root of threads) {
    let newest = 0;
    nodes.starts.push(nodes.uids.length);
    const open = [{ thread: root, depth: 0 }];
    for (let next = open.pop(); next; next = open.pop()) {
      const { thread, depth } = next;
      const rank = thread.uid === null ? 0 : (rankOf.get(thread.uid) ?? 0);
      newest = Math.max(newest, rank);
      nodes.ranks.push(rank);
      nodes.uids.push(thread.uid ?? 0);
      nodes.depths.push(depth);
      // The last reply is opened last: the next one that is taken is the first.
      for (let at = thread.replies.length - 1; at >= 0; at -= 1) {
        const reply = thread.replies[at];
        if (reply) open.push({ thread: reply, depth: Math.min(depth + 1, MAX_DEPTH) });
      }
      if (nodes.uids.length % PACE === 0) await breathe();
    }
    nodes.ends.push(nodes.uids.length);
    nodes.newest.push(newest);
  }
  return nodes;
}

/** The conversations by rank, by counting: ranks are small and, but for 0, no two conversations have the same. */
async function newestFirst(newest: readonly number[], most: number): Promise<number[]> {
  const at = new Map<number, number>();
  const undated: number[] = [];
  for (const [index, rank] of newest.entries()) {
    if (rank === 0 || at.has(rank)) undated.push(index);
    else at.set(rank, index);
    if (index % PACE === 0) await breathe();
  }
  const order: number[] = [];
  for (let rank = most; rank > 0; rank -= 1) {
    const index = at.get(rank);
    if (index !== undefined) order.push(index);
    if (rank % PACE === 0) await breathe();
  }
  return order.concat(undated);
}

/** The conversations of a forest in which one of these messages is. */
export async function withHits(forest: Forest, hits: readonly number[]): Promise<Forest> {
  const wanted = new Set(hits);
  const picked: number[] = [];
  for (let index = 0; index < forest.starts.length; index += 1) {
    const end = forest.ends[index] ?? 0;
    for (let at = forest.starts[index] ?? 0; at < end; at += 1) {
      if (!wanted.has(forest.uids[at] ?? 0)) continue;
      picked.push(index);
      break;
    }
    if (index % PACE === 0) await breathe();
  }
  const pick = (from: Uint32Array) => Uint32Array.from(picked, (index) => from[index] ?? 0);
  return { ...forest, starts: pick(forest.starts), ends: pick(forest.ends), newest: pick(forest.newest) };
}

/** The messages of a conversation by date, oldest first. */
export function messagesOf({ uids, ranks, starts, ends }: Forest, index: number): number[] {
  const nodes: number[] = [];
  const end = ends[index] ?? 0;
  for (let at = starts[index] ?? 0; at < end; at += 1) if (uids[at] !== 0) nodes.push(at);
  nodes.sort((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0));
  return nodes.map((at) => uids[at] ?? 0);
}

/** A conversation as JSON: see `Thread` in the contract. */
export function treeJson({ uids, depths, starts, ends }: Forest, index: number): string {
  const [start = 0, end = 0] = [starts[index], ends[index]];
  const parts: string[] = [];
  for (let at = start; at < end; at += 1) {
    const depth = depths[at] ?? 0;
    if (at > start) {
      const before = depths[at - 1] ?? 0;
      if (depth <= before) parts.push(']}'.repeat(before - depth + 1), ',');
    }
    parts.push(`{"uid":${uids[at] || 'null'},"replies":[`);
  }
  parts.push(']}'.repeat((depths[end - 1] ?? 0) + 1));
  return end > start ? parts.join('') : '{"uid":null,"replies":[]}';
}

/** The rank of a message; 0 where it is not in the forest. */
export function rankOf({ uids, ranks }: Forest, uid: number): number {
  const at = uids.indexOf(uid);
  return at < 0 ? 0 : (ranks[at] ?? 0);
}
