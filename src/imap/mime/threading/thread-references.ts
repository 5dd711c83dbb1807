import type { Thread } from '../../../protocol/methods/message-threads.js';
import { sortInTurns } from '../../wire/sort-in-turns.js';
import { breathe } from '../../wire/turn-budget.js';

/** A message id or base subject; a number stands for a text: {@link threadKey}. */
export type ThreadKey = string | number;

/** The data of a message that threading needs. */
export interface ThreadMessage {
  uid: number;
  id: ThreadKey | null;
  /** Message ids, oldest first. */
  references: readonly ThreadKey[];
  /** The base subject (RFC 5256 section 2.1) in the form in which subjects are compared; '' or 0 where there is none. */
  subject: ThreadKey;
  /** Whether the subject is that of a reply or forward. */
  isReply: boolean;
  /** Milliseconds since 1970. */
  date: number;
}

/** Messages after which a turn may end. */
const PACE = 500;

interface Container {
  message: ThreadMessage | null;
  parent: Container | null;
  children: Container[];
}

/** Threads messages by references and subject (RFC 5256 section 3, REFERENCES), in turns, as there may be very many. */
export async function buildThreads(messages: readonly ThreadMessage[]): Promise<Thread[]> {
  const containers = await linkReferences(messages);
  const roots = await prune(containers.filter(({ parent }) => parent === null));
  const merged = await mergeSubjects(await sortByDate(roots));
  const threads: Thread[] = [];
  for (const root of await sortByDate(merged)) {
    threads.push(await toThread(root));
    if (threads.length % PACE === 0) await breathe();
  }
  return threads;
}

/** Steps 1 and 2: puts every message below the last of its references. */
async function linkReferences(messages: readonly ThreadMessage[]): Promise<Container[]> {
  const byId = new Map<ThreadKey, Container>();
  const all: Container[] = [];
  const named = (id: ThreadKey): Container => {
    const existing = byId.get(id);
    if (existing) return existing;
    const made: Container = { message: null, parent: null, children: [] };
    byId.set(id, made);
    all.push(made);
    return made;
  };
  for (const message of messages) {
    // A message without an id, or with the id of an earlier message, gets a unique id.
    const usable = message.id !== null && !byId.get(message.id)?.message ? message.id : `\u0000${message.uid}`;
    const own = named(usable);
    own.message = message;
    let parent: Container | null = null;
    for (const reference of message.references) {
      const next = named(reference);
      if (parent && !next.parent) link(parent, next);
      parent = next;
    }
    // The message's own references take precedence over those of other messages.
    if (own.parent) unlink(own);
    if (parent) link(parent, own);
    await breathe();
  }
  return all;
}

/** Links a child, unless that would make a loop. A child without children is above no other, so no walk is needed. */
function link(parent: Container, child: Container): void {
  if (parent === child || (child.children.length > 0 && isAbove(child, parent))) return;
  child.parent = parent;
  parent.children.push(child);
}

function isAbove(container: Container, below: Container): boolean {
  for (let up = below.parent; up; up = up.parent) if (up === container) return true;
  return false;
}

function unlink(child: Container): void {
  const siblings = child.parent?.children ?? [];
  siblings.splice(siblings.indexOf(child), 1);
  child.parent = null;
}

/** Step 3: removes containers without a message; children move up, but to the top level only if there is just one. */
async function prune(roots: Container[]): Promise<Container[]> {
  for (const [index, container] of (await deepestFirst(roots)).entries()) {
    if (index % PACE === 0) await breathe();
    container.children = container.children.flatMap((child) => (child.message ? [child] : child.children));
    for (const child of container.children) child.parent = container;
  }
  return roots.flatMap((root) => {
    if (root.message || root.children.length > 1) return [root];
    for (const child of root.children) child.parent = null;
    return root.children;
  });
}

/** Without recursion: a chain of references may be longer than the stack. */
async function deepestFirst(roots: readonly Container[]): Promise<Container[]> {
  const order: Container[] = [];
  const open = [...roots];
  for (let next = open.pop(); next; next = open.pop()) {
    order.push(next);
    if (order.length % PACE === 0) await breathe();
    // Not `push(...children)`: there may be more arguments than the stack can hold.
    for (const child of next.children) open.push(child);
  }
  return order.reverse();
}

/** Steps 4 and 6: sorts siblings by date; a container without a message has the date of its first child. */
async function sortByDate(roots: readonly Container[]): Promise<Container[]> {
  for (const [index, container] of (await deepestFirst(roots)).entries()) {
    const { children } = container;
    if (children.length > PACE) container.children = await sortInTurns(children, byDate);
    else if (children.length > 1) children.sort(byDate);
    if (index % PACE === 0) await breathe();
  }
  return sortInTurns(roots, byDate);
}

function byDate(a: Container, b: Container): number {
  const [first, second] = [standIn(a), standIn(b)];
  return (first?.date ?? 0) - (second?.date ?? 0) || (first?.uid ?? 0) - (second?.uid ?? 0);
}

function standIn({ message, children }: Container): ThreadMessage | null | undefined {
  return message ?? children[0]?.message;
}

/** Step 5: merges threads with the same subject. */
async function mergeSubjects(roots: Container[]): Promise<Container[]> {
  const table = new Map<ThreadKey, Container>();
  const subjects = new Map<Container, ThreadKey>();
  for (const root of roots) {
    await breathe();
    const subject = subjectOf(root);
    subjects.set(root, subject);
    const earlier = table.get(subject);
    // Threads are merged into a container without a message if there is one, else into a message that is no reply.
    const better = earlier?.message && (!root.message || (replies(earlier) && !replies(root)));
    if (isSubject(subject) && (!earlier || better)) table.set(subject, root);
  }
  const result = new Set(roots);
  for (const root of roots) {
    await breathe();
    const subject = subjects.get(root) ?? 0;
    const target = table.get(subject);
    if (!isSubject(subject) || !target || target === root) continue;
    result.delete(root);
    const merged = mergeInto(target, root);
    if (merged === target) continue;
    result.delete(target);
    result.add(merged);
    table.set(subject, merged);
  }
  return [...result];
}

function mergeInto(target: Container, root: Container): Container {
  if (!target.message && !root.message) {
    adopt(target, root.children);
    return target;
  }
  if (!target.message || (replies(root) && !replies(target))) {
    adopt(target, [root]);
    return target;
  }
  const both: Container = { message: null, parent: null, children: [] };
  adopt(both, [target, root]);
  return both;
}

function adopt(parent: Container, children: readonly Container[]): void {
  for (const child of children) {
    child.parent = parent;
    parent.children.push(child);
  }
}

function subjectOf(container: Container): ThreadKey {
  return standIn(container)?.subject ?? 0;
}

function isSubject(subject: ThreadKey): boolean {
  return subject !== '' && subject !== 0;
}

function replies(container: Container): boolean {
  return standIn(container)?.isReply ?? false;
}

async function toThread(root: Container): Promise<Thread> {
  const threads = new Map<Container, Thread>();
  for (const [index, container] of (await deepestFirst([root])).entries()) {
    const replies = container.children.flatMap((child) => threads.get(child) ?? []);
    threads.set(container, { uid: container.message?.uid ?? null, replies });
    if (index % PACE === PACE - 1) await breathe();
  }
  return threads.get(root) ?? { uid: null, replies: [] };
}
