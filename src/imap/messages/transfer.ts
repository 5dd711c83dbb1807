import type { ImapConnection } from '../connection/connection.js';
import type { UntaggedHandler } from '../wire/command.js';
import type { StatusText } from '../wire/response.js';
import { countOf, sequenceSets, uidsOf } from '../wire/sequence-set.js';
import { mailboxName, nzNumberOf, sequence, textOf } from '../wire/tokens.js';
import { survivingExpunge } from './fetch-rows.js';
import { explainTarget } from './target-folder.js';

/** Where messages arrived, as far as the server reports it (COPYUID, RFC 4315 section 3). */
export interface Arrived {
  uidValidity: number | null;
  uids: { source: number; destination: number }[];
  /** Uids that existed and were copied or moved. */
  found: ReadonlySet<number>;
  /** Uids of commands without COPYUID: these messages may have been copied or moved. */
  untold: number[];
}

/** @throws BrokerError NOT_FOUND with field `destination` when the folder is missing */
export function copyMessages(connection: ImapConnection, uids: readonly number[], destination: string) {
  return transferUids(connection, 'UID COPY', uids, destination);
}

/** Moves by MOVE (RFC 6851). @throws BrokerError as {@link copyMessages} */
export function moveMessages(connection: ImapConnection, uids: readonly number[], destination: string) {
  return transferUids(connection, 'UID MOVE', uids, destination);
}

export function hasMove(connection: ImapConnection): boolean {
  return connection.has('MOVE') || connection.has('IMAP4rev2');
}

async function transferUids(
  connection: ImapConnection,
  command: 'UID COPY' | 'UID MOVE',
  uids: readonly number[],
  destination: string,
): Promise<Arrived> {
  const notes = new Notes(uids);
  const untold: number[] = [];
  for (const set of sequenceSets(uids)) {
    const before = notes.count;
    const args = [sequence(set), mailboxName(destination)];
    // Some servers refuse because messages are gone: nothing was done, and after the NOOP the others are transferred.
    const ok = await survivingExpunge(connection, () =>
      connection
        .exec('write', command, args, notes.handlers)
        .catch((failure: unknown) => explainTarget(connection, failure, destination, 'destination')),
    );
    notes.take(ok.code, ok.codeArgs);
    if (notes.count === before) untold.push(...uidsOf(set));
  }
  return { ...notes.arrived, untold };
}

/** Collects the COPYUID response codes. */
class Notes {
  readonly arrived = { uidValidity: null as number | null, uids: [] as Arrived['uids'], found: new Set<number>() };
  count = 0;
  readonly #asked: ReadonlySet<number>;
  /** MOVE returns COPYUID in an untagged OK, COPY in the tagged OK; some servers do it the other way round. */
  readonly handlers: Record<string, UntaggedHandler> = {
    OK: ({ status }) => this.take(status?.code, status?.codeArgs ?? []),
  };

  constructor(asked: readonly number[]) {
    this.#asked = new Set(asked);
  }

  take(code: string | undefined, [validity, from, to]: StatusText['codeArgs']): void {
    if (code !== 'COPYUID' || !this.#isPossible(textOf(from), textOf(to))) return;
    this.count += 1;
    const { arrived } = this;
    const destinations = uidsOf(textOf(to));
    uidsOf(textOf(from)).forEach((source, index) => {
      // A message that is reported twice, in an untagged OK and in the tagged one, was copied once.
      if (!this.#asked.has(source) || arrived.found.has(source)) return;
      const destination = destinations[index];
      arrived.found.add(source);
      if (destination !== undefined) arrived.uids.push({ source, destination });
    });
    arrived.uidValidity = nzNumberOf(validity) ?? null;
  }

  /** Whether COPYUID is plausible: sets with more uids than requested are neither expanded nor trusted. */
  #isPossible(from: string, to: string): boolean {
    const { size } = this.#asked;
    return countOf(from, size) <= size && countOf(to, size) <= size;
  }
}
