import { expect, onTestFinished } from 'vitest';
import type { Result } from '../../src/protocol/contract.js';
import { expectedCounts, expectedPage, outcomeOf, type PageStart, shownPage } from '../model/expected.js';
import { type Lane, openLanes } from '../model/lane.js';
import { arrivalOf, CONTENTS, mailOf } from '../model/mails.js';
import { type Folder, readSnapshot, type State, snapshotCommands } from '../model/state.js';
import type { Dialect } from '../support/dialects.js';
import { LeanImap } from '../support/lean-imap.js';
import { Manners } from '../support/unoffered.js';

type Page = Result<'message.list'> & { /** Where the next page begins. */ next: PageStart | undefined };

interface Asked {
  mailbox?: string;
  limit?: number;
  start?: PageStart | undefined;
  maxAgeMs?: number;
  socket?: number;
}

/** A user with a folder, who reads through a broker, and whose other client makes changes. */
export interface Visitor {
  lane: Lane;
  /** The folder that is looked at. */
  mailbox: string;
  ask: Lane['ask'];
  /** The folder as a fresh connection sees it. */
  fresh(mailbox?: string): Promise<Folder>;
  /** A page, which is just as a fresh connection sees it. */
  page(asked?: Asked): Promise<Page>;
  /** The first page, the counts and the list of folders, all just as a fresh connection sees them; answers the uids. */
  look(asked?: Asked): Promise<number[]>;
  /** The other client selects the folder, sends commands, and leaves it. */
  change(...commands: string[]): Promise<void>;
  /** The other client sends commands with no folder selected. */
  other(...commands: string[]): Promise<void>;
  /** A third client that has the folder selected, and goes on so. */
  holder(mailbox?: string): Promise<LeanImap>;
  /** A name that the server takes. */
  named(name: string): string;
}

/** A new user with a folder of so many messages, for within a test. */
export async function visitor(dialect: Dialect, count = 3): Promise<Visitor> {
  const { lanes, close } = await openLanes(dialect, 1, new Manners(dialect.offered));
  onTestFinished(close);
  const [lane] = lanes;
  if (!lane) throw new Error('no lane');
  const named = (name: string) => dialect.prefix + name;
  const mailbox = named('Looked at');
  await lane.other().all(`CREATE "${mailbox}"`, ...appends(mailbox, count));
  const state = async (name: string): Promise<State> => {
    const client = await LeanImap.open(dialect.dovecot.plainPort, lane.user, dialect.dovecot.password);
    const replies = await client.send(...snapshotCommands(name));
    await client.close();
    return readSnapshot(replies);
  };
  const page = async ({ mailbox: name = mailbox, limit = 500, start, maxAgeMs = 0, socket = 0 }: Asked = {}) => {
    const params = { mailbox: name, limit, maxAgeMs, ...(start && { cursor: start.cursor }) };
    const answer = await lane.ask(socket, 'message.list', params);
    expect({ ok: shownPage(answer) }).toEqual(expectedPage(await state(name), limit, start));
    const { uidValidity, messages, nextCursor } = answer;
    const below = messages.at(-1)?.uid ?? 0;
    return { ...answer, next: nextCursor === null ? undefined : { cursor: nextCursor, uidValidity, below } };
  };
  const counts = async (name: string, socket: number) => {
    const expected = expectedCounts(await state(name), dialect.offered.has('STATUS=SIZE'));
    const { statuses } = await lane.ask(socket, 'mailbox.status', { mailboxes: [name] });
    expect({ ok: statuses[0]?.counts }).toEqual(expected);
    const { mailboxes } = await lane.ask(socket, 'mailbox.list', { counts: true });
    expect({ ok: mailboxes.find((one) => one.name === name)?.counts ?? null }).toEqual(expected);
  };
  return {
    lane,
    mailbox,
    ask: lane.ask,
    page,
    look: async (asked = {}) => {
      const { messages } = await page(asked);
      await counts(asked.mailbox ?? mailbox, asked.socket ?? 0);
      return messages.map(({ uid }) => uid);
    },
    fresh: async (name = mailbox) => {
      const there = await state(name);
      if (!there) throw new Error(`no folder ${name}`);
      return there;
    },
    change: async (...commands) => {
      await lane.other().all(`SELECT "${mailbox}"`, ...commands, 'UNSELECT');
    },
    other: async (...commands) => {
      await lane.other().all(...commands);
    },
    holder: async (name = mailbox) => {
      const { dovecot } = dialect;
      const client = await LeanImap.open(dovecot.plainPort, lane.user, dovecot.password);
      onTestFinished(() => client.close());
      await client.all(`SELECT "${name}"`);
      return client;
    },
    named,
  };
}

/** Commands that store messages, each unlike those before it. */
export function appends(mailbox: string, count: number, flags = ''): string[] {
  return Array.from({ length: count }, (_, index) => {
    const content = index % CONTENTS;
    const mail = mailOf(content);
    return `APPEND "${mailbox}" (${flags}) "${arrivalOf(content)}" {${mail.length}+}\r\n${mail}`;
  });
}

/** What a request was refused with. */
export async function refusal(request: Promise<unknown>): Promise<unknown> {
  const outcome = await outcomeOf(request);
  return 'error' in outcome ? outcome.error : outcome;
}
