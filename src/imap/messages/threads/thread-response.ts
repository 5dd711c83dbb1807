import type { Thread } from '../../../protocol/methods/message-threads.js';
import { isNzNumber } from '../../wire/tokens.js';
import { breathe } from '../../wire/turn-budget.js';

/** Most messages and lists in one THREAD response. */
export const MOST_THREADED = 200_000;
/** Characters after which a turn may end. */
const STEP = 16_384;
const [OPEN, CLOSE, ZERO, NINE] = [0x28, 0x29, 0x30, 0x39];

/**
 * Reads (1 2 (3)(4)): each number is a reply to the number before it, each list a reply to the last number before it.
 * Without recursion, because a server may nest lists to any depth; and in turns, because there may be very many.
 */
export async function readThreads(text: string, into: Thread[]): Promise<void> {
  // The message that each open list replies to; for the outermost list, a new root.
  const open: Thread[] = [];
  let last: Thread | undefined;
  let pause = STEP;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === OPEN) {
      last ??= { uid: null, replies: [] };
      open.push(last);
    } else if (code === CLOSE) {
      last = open.pop();
      if (open.length > 0 || !last) continue;
      // A root without a message is replaced by its only reply.
      into.push(...(last.replies.length > 1 ? [last] : last.replies));
      last = undefined;
    } else if (last && code >= ZERO && code <= NINE) {
      let number = 0;
      for (let digit = code; digit >= ZERO && digit <= NINE; at += 1, digit = text.charCodeAt(at)) {
        number = number * 10 + digit - ZERO;
      }
      at -= 1;
      const reply: Thread = { uid: isNzNumber(number) ? number : null, replies: [] };
      last.replies.push(reply);
      last = reply;
    }
    if (at >= pause) {
      pause = at + STEP;
      await breathe();
    }
  }
}

/** Whether a response has too many members, without building them: counts numbers and opening parentheses. */
export function isTooMuch(text: string): boolean {
  let count = 0;
  let inNumber = false;
  for (let at = 0; at < text.length && count <= MOST_THREADED; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code >= ZERO && code <= NINE;
    if (code === OPEN || (digit && !inNumber)) count += 1;
    inNumber = digit;
  }
  return count > MOST_THREADED;
}
