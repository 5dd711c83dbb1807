import fc from 'fast-check';
import type { Sort } from '../../src/protocol/criteria.js';
import type { ListField } from '../../src/protocol/rows.js';
import { CONTENTS } from './mails.js';
import type { Mail } from './state.js';

/** Who writes: another mail client, or the broker itself on one of two sockets. */
export type Writer = 'client' | 'broker';

/** Messages of a folder, by where they are in it when the command is run. */
export interface Pick {
  of: 'newest' | 'oldest' | 'all' | 'some';
  /** For `some`: places from the oldest on, counted round. */
  places: number[];
}

/** Folders go by their number: the names of a history are its own. */
export type Write =
  | { do: 'append'; by: Writer; folder: number; contents: number[]; flags: string[] }
  | { do: 'flag'; by: Writer; folder: number; pick: Pick; action: 'add' | 'remove' | 'set'; flags: string[] }
  | { do: 'expunge'; by: Writer; folder: number; pick: Pick }
  | { do: 'move' | 'copy'; by: Writer; folder: number; to: number; pick: Pick }
  | { do: 'create' | 'delete'; by: Writer; folder: number }
  | { do: 'rename'; by: Writer; folder: number; to: number }
  /** Deleted and made again by a client, with as many messages. */
  | { do: 'recreate'; folder: number }
  /** Two folders change their names by a client. */
  | { do: 'swap'; folder: number; to: number };

export type Read =
  | { do: 'list'; folder: number; limit: number; maxAgeMs: number; fields: ListField[] }
  /** The page behind the last one that was read of the folder. */
  | { do: 'next'; folder: number; limit: number; maxAgeMs: number; fields: ListField[] }
  | Filtered
  | { do: 'get'; folder: number; pick: Pick; maxAgeMs: number }
  /** In one folder, or in all that are there. */
  | { do: 'search'; folder: number; all: boolean; criteria: SearchName; maxAgeMs: number }
  | ThreadsRead
  | { do: 'status' | 'folders'; maxAgeMs: number }
  /** With `held` the caller says which messages it has. */
  | { do: 'changes'; folder: number; held: boolean };

/** A list with a filter or a sort. */
export interface Filtered {
  do: 'filtered';
  folder: number;
  filter: SearchName;
  sort: SortName;
  offset: number;
  limit: number;
  maxAgeMs: number;
  fields: ListField[];
  /** Whether the caller has kept the last answer to the same, and asks by its state. */
  kept: boolean;
  /** Whether it goes on behind the last page of the same filter, where there is no sort. */
  goesOn: boolean;
}

export interface ThreadsRead {
  do: 'threads';
  folder: number;
  criteria: SearchName;
  whole: boolean;
  limit: number;
  fields: ListField[];
  maxAgeMs: number;
  /** Whether it says which answer it has already, where it has one to the same question. */
  kept: boolean;
}

export type Command =
  | Write
  | Read
  /** Reads at the same time, over both sockets; with `cut` their connections break meanwhile. */
  | { do: 'together'; reads: Read[]; cut: boolean }
  /**
   * A write to messages, and reads at the same time: what they see is open, but not what is seen after them. None to
   * folders: those confuse Dovecot itself, which leaves a half-made folder behind.
   */
  | { do: 'race'; write: Write; reads: Read[] }
  /** Another client writes to a folder that the broker watches in an IDLE, and at once a request reads. */
  | Surprise
  /** The broker's connections break. */
  | { do: 'cut' }
  /** All that the broker knows of folders is forgotten, as by a restart: what states say is left. */
  | { do: 'forget' };

export interface Surprise {
  do: 'surprise';
  write: Write;
  /** Of the folder that is written to. */
  read: Read;
}

export interface History {
  /** Messages in the first two folders at the beginning; the third is not there. */
  start: [number, number];
  commands: Command[];
}

export const FOLDERS = 3;

/** Criteria of message.search, and which messages they find. */
export const searches = {
  all: { criteria: {}, finds: () => true },
  unseen: { criteria: { seen: false }, finds: (flags: string[]) => !flags.includes('\\Seen') },
  flagged: { criteria: { flagged: true }, finds: (flags: string[]) => flags.includes('\\Flagged') },
  work: { criteria: { keyword: 'Work' }, finds: (flags: string[]) => flags.includes('Work') },
} as const;
export type SearchName = keyof typeof searches;

/** Orders of message.list, and by what they are; messages that are equal are in the order of the folder. */
export const orders = {
  folder: { sort: undefined, key: (mail: Mail) => -mail.uid },
  size: { sort: [{ by: 'size', descending: true }], key: (mail: Mail) => -mail.size },
  date: { sort: [{ by: 'date', descending: false }], key: (mail: Mail) => Date.parse(mail.envelope.date ?? '') },
  uid: { sort: [{ by: 'uid', descending: false }], key: (mail: Mail) => mail.uid },
} as const satisfies Record<string, { sort: Sort[] | undefined; key: (mail: Mail) => number }>;
export type SortName = keyof typeof orders;

const folder = fc.constantFrom(0, 0, 0, 0, 1, 1, 2);
const by = fc.constantFrom<Writer>('client', 'client', 'broker');
const flags = fc.subarray(['\\Seen', '\\Flagged', '\\Deleted', 'Work', '$Forwarded'], { minLength: 1, maxLength: 2 });
const pick: fc.Arbitrary<Pick> = fc.record({
  of: fc.constantFrom<Pick['of']>('some', 'some', 'some', 'newest', 'oldest', 'all'),
  places: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 3 }),
});
const maxAgeMs = fc.constantFrom(0, 0, 0, 5, 60_000);
const limit = fc.constantFrom(1, 2, 3, 4, 50);
const fields = fc.constantFrom<ListField[]>(
  ['envelope', 'flags', 'size', 'internalDate'],
  ['envelope', 'flags', 'size', 'internalDate'],
  ['envelope', 'flags', 'size', 'internalDate'],
  ['flags'],
  ['envelope'],
  ['size', 'hasAttachment'],
  ['internalDate', 'preview', 'flags'],
  ['attachments', 'preview'],
);
const content = fc.nat({ max: CONTENTS - 1 });

const messageWrite: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append'),
      by,
      folder,
      contents: fc.array(content, { minLength: 1, maxLength: 3 }),
      flags,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('flag'),
      by,
      folder,
      pick,
      action: fc.constantFrom('add', 'remove', 'set'),
      flags,
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('expunge'), by, folder, pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('move', 'copy'), by, folder, to: folder, pick }) },
);

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 21, arbitrary: messageWrite },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('create', 'delete'), by, folder }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rename'), by, folder, to: folder }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('recreate'), folder }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('swap'), folder, to: folder }) },
);

const read: fc.Arbitrary<Read> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('list'), folder, limit, maxAgeMs, fields }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('next'), folder, limit, maxAgeMs, fields }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('filtered'),
      folder,
      filter: fc.constantFrom(...(Object.keys(searches) as SearchName[])),
      sort: fc.constantFrom(...(Object.keys(orders) as SortName[])),
      offset: fc.constantFrom(0, 0, 1, 2),
      limit,
      maxAgeMs,
      fields,
      kept: fc.boolean(),
      goesOn: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('get'), folder, pick, maxAgeMs }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('search'),
      folder,
      all: fc.boolean(),
      criteria: fc.constantFrom(...(Object.keys(searches) as SearchName[])),
      maxAgeMs,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('threads'),
      folder,
      criteria: fc.constantFrom<SearchName>('all', 'all', 'all', 'unseen', 'flagged'),
      whole: fc.boolean(),
      limit,
      fields,
      maxAgeMs,
      kept: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('status', 'folders'), maxAgeMs }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('changes'), folder, held: fc.boolean() }) },
);

/** Seen by a request that is sent now: the folder is that of the write. */
const readNow = read.map((one): Read => (one.do === 'changes' ? one : { ...one, maxAgeMs: 0 }));
const writeByClient = write.map((one): Write => ('by' in one ? { ...one, by: 'client' } : one));

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: write },
  { weight: 10, arbitrary: read },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('together'),
      reads: fc.array(read, { minLength: 2, maxLength: 4 }),
      cut: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('race'),
      write: messageWrite,
      reads: fc.array(read, { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('surprise'), write: writeByClient, read: readNow }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget') }) },
);

/** Histories of up to 20 commands, plain data: what shrinks and prints well. */
export const histories: fc.Arbitrary<History> = fc.record({
  start: fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 3 })),
  commands: fc.array(command, { minLength: 1, maxLength: 20, size: 'max' }),
});
