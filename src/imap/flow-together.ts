import type { ImapFlow } from 'imapflow';
import type { ImapAttribute } from './raw-exec.js';

interface Request {
  tag: string;
  options: { untagged?: Record<string, unknown> };
  sent?: boolean;
}

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  writeSocket: { cork(): void; uncork(): void };
  /** Commands behind the one that is not answered yet, which is `currentRequest`. */
  requestQueue: Request[];
  currentRequest: Request | false;
  send(request: Request): Promise<void>;
  getUntaggedHandler(command: string, attributes: ImapAttribute[] | undefined): unknown;
  /** The keyword of an untagged response, which may stand behind a number. */
  normalizeUntaggedCommand(command: string, attributes: ImapAttribute[] | undefined): string;
}

/** Of connections where it was ever wanted. */
const knowing = new WeakMap<ImapFlow, Early>();

/**
 * Sends the first commands of what `begin` begins in one packet, where imapflow would send each behind the answer of the one
 * before (RFC 9051 section 5.5). They must not have literals.
 */
export function sendTogether<T>(flow: ImapFlow, begin: () => T): T {
  const inside = flow as unknown as FlowInside;
  const early = knowing.get(flow) ?? new Early(inside);
  knowing.set(flow, early);
  const { writeSocket } = inside;
  writeSocket.cork();
  try {
    const begun = begin();
    for (const request of inside.requestQueue) early.send(request);
    return begun;
  } finally {
    writeSocket.uncork();
  }
}

/** Commands that went out before it was their turn at imapflow. */
class Early {
  readonly #waiting = new Map<string, Request>();
  readonly #send: FlowInside['send'];

  constructor(inside: FlowInside) {
    this.#send = inside.send.bind(inside);
    inside.send = async (request) => {
      if (!this.#waiting.delete(request.tag)) await this.#send(request);
      // imapflow takes no answer of a command that it has not sent.
      else if (inside.currentRequest && inside.currentRequest.tag === request.tag) inside.currentRequest.sent = true;
    };
    const handlerOf = inside.getUntaggedHandler.bind(inside);
    inside.getUntaggedHandler = (command, attributes) => {
      const handler = handlerOf(command, attributes);
      if (this.#waiting.size === 0) return handler;
      return this.#handlerOf(inside.normalizeUntaggedCommand(command, attributes)) ?? handler;
    };
  }

  send(request: Request): void {
    if (this.#waiting.has(request.tag)) return;
    this.#waiting.set(request.tag, request);
    // What cannot be sent fails in its turn.
    this.#send(request).catch(() => this.#waiting.delete(request.tag));
  }

  /** Dovecot looks into the folder for a NOOP last: what a FETCH behind it asked for comes before both are answered. */
  #handlerOf(keyword: string): unknown {
    for (const { options } of this.#waiting.values()) if (options.untagged?.[keyword]) return options.untagged[keyword];
    return undefined;
  }
}
