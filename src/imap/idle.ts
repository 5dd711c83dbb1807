import type { ImapConnection } from './connection.js';
import { isRefusal } from './mailbox-status.js';

/** Milliseconds that the server has to begin and to end an IDLE. */
const ANSWER_MS = 10_000;

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  write(line: string): void;
  exec(command: 'IDLE', attributes: false, options: { onPlusTag: () => Promise<void> }): Promise<{ next: () => void }>;
}

/** An IDLE under way (RFC 2177): the server tells what changes, to whom follows the connection. */
export interface Idle {
  /**
   * Asks for the end. `ended` is a barrier then: the server has told everything up to it.
   */
  stop(): void;
  /** @throws BrokerError CONNECTION_LOST, or IMAP_NO where the server refuses */
  ended: Promise<void>;
}

/** Whether the server can be asked to tell what changes. */
export function canIdle(connection: ImapConnection): boolean {
  return connection.has('IDLE') || connection.has('IMAP4rev2');
}

/** Begins an IDLE on the selected folder. No other command may be sent before it has ended. */
export function beginIdle(connection: ImapConnection): Idle {
  let begun = false;
  let stopping = false;
  let done = () => {};
  let timer: NodeJS.Timeout | undefined;
  const late = () => connection.close();
  const limit = () => {
    clearTimeout(timer);
    timer = setTimeout(late, ANSWER_MS);
  };
  const run = async () => {
    limit();
    try {
      await connection.command('read', async (flow) => {
        const inside = flow as unknown as FlowInside;
        done = () => {
          limit();
          inside.write('DONE');
        };
        const { next } = await inside.exec('IDLE', false, {
          onPlusTag: async () => {
            clearTimeout(timer);
            begun = true;
            // Not before: Cyrus would wait for ever for a DONE that came with the IDLE.
            if (stopping) done();
          },
        });
        next();
        return true;
      });
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    ended: run(),
    stop: () => {
      if (stopping) return;
      stopping = true;
      if (begun) done();
    },
  };
}

/** Whether the server refused, rather than that the connection ended. */
export function isIdleRefused(error: unknown, connection: ImapConnection): boolean {
  return connection.usable && isRefusal(error);
}
