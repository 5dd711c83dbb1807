import type { Threading } from '../../imap/messages/threads/thread.js';
import { sortInTurns } from '../../imap/wire/sort-in-turns.js';
import { breathe } from '../../imap/wire/turn-budget.js';
import type { Thread } from '../../protocol/methods/message-threads.js';

/** Most levels of replies in an answer; deeper replies are siblings on the last level: JSON parsers fail on a chain of a thousand. */
const MAX_DEPTH = 100;
/** Messages after which a turn may end. */
const PACE = 500;
/** Messages from which on a conversation is large: daily reports of one subject are a single conversation. */
const LARGE = 2_000;
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
  /** The messages of each conversation, oldest first, in the range of its nodes; behind them 0s for those that are not there. */
  dated: Uint32Array;
  /** JSON of the trees of large conversations, by their first node: to build it anew for each page takes too long. */
  trees: ReadonlyMap<number, string>;
  /** By conversation: its first node, the one behind its last, and the rank of its newest message. */
  starts: Uint32Array;
  ends: Uint32Array;
  newest: Uint32Array;
}

/** Bytes in the heap. */
export function bytesOfForest({ uids, starts, trees }: Forest): number {
  let bytes = FOREST_BYTES + uids.length * 13 + starts.length * 12;
  for (const tree of trees.values()) bytes += tree.length;
  return bytes;
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
  const uids = Uint32Array.from(nodes.uids);
  const depths = Uint8Array.from(nodes.depths);
  return {
    uids,
    depths,
    ranks: Uint32Array.from(nodes.ranks),
    dated: await datedOf(nodes),
    trees: await largeTrees(nodes, { uids, depths }),
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

async function datedOf({ uids, ranks, starts, ends }: Nodes): Promise<Uint32Array> {
  const dated = new Uint32Array(uids.length);
  const byRank = (a: number, b: number) => (ranks[a] ?? 0) - (ranks[b] ?? 0);
  for (const [index, start] of starts.entries()) {
    const nodes: number[] = [];
    const end = ends[index] ?? 0;
    for (let at = start; at < end; at += 1) if (uids[at] !== 0) nodes.push(at);
    const sorted = nodes.length < LARGE ? nodes.sort(byRank) : await sortInTurns(nodes, byRank);
    let place = start;
    for (const at of sorted) {
      dated[place] = uids[at] ?? 0;
      place += 1;
    }
    if (index % PACE === 0) await breathe();
  }
  return dated;
}

async function largeTrees({ starts, ends }: Nodes, tree: Tree): Promise<ReadonlyMap<number, string>> {
  const trees = new Map<number, string>();
  for (const [index, start] of starts.entries()) {
    const end = ends[index] ?? 0;
    if (end - start < LARGE) continue;
    let json = '';
    for (let from = start; from < end; from += PACE) {
      json += nodesJson(tree, { start, end }, from, Math.min(end, from + PACE));
      await breathe();
    }
    // As one piece of memory, not as hundreds of pieces that each page would put together again.
    trees.set(start, Buffer.from(json, 'latin1').toString('latin1'));
  }
  return trees;
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
export function messagesOf({ dated, starts, ends }: Forest, index: number): number[] {
  const messages = Array.from(dated.subarray(starts[index], ends[index]));
  while (messages.at(-1) === 0) messages.pop();
  return messages;
}

/** A conversation as JSON: see `Thread` in the contract. */
export function treeJson(forest: Forest, index: number): string {
  const [start = 0, end = 0] = [forest.starts[index], forest.ends[index]];
  if (end <= start) return '{"uid":null,"replies":[]}';
  return forest.trees.get(start) ?? nodesJson(forest, { start, end }, start, end);
}

type Tree = Pick<Forest, 'uids' | 'depths'>;

/** A part of the JSON of a conversation, by some of its nodes. */
function nodesJson(
  { uids, depths }: Tree,
  { start, end }: { start: number; end: number },
  from: number,
  to: number,
): string {
  const parts: string[] = [];
  for (let at = from; at < to; at += 1) {
    const depth = depths[at] ?? 0;
    if (at > start) {
      const before = depths[at - 1] ?? 0;
      if (depth <= before) parts.push(']}'.repeat(before - depth + 1), ',');
    }
    parts.push(`{"uid":${uids[at] || 'null'},"replies":[`);
  }
  if (to === end) parts.push(']}'.repeat((depths[end - 1] ?? 0) + 1));
  return parts.join('');
}

/** The rank of a message; 0 where it is not in the forest. */
export function rankOf({ uids, ranks }: Forest, uid: number): number {
  const at = uids.indexOf(uid);
  return at < 0 ? 0 : (ranks[at] ?? 0);
}
