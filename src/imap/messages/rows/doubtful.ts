import type { MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { toEnvelope } from '../../mime/envelope.js';
import { isAmbiguous } from '../../mime/header-text.js';
import { bodyCharset } from '../../mime/structure.js';
import { atom, bytesOf, type ImapAttribute } from '../../wire/tokens.js';
import { breathe } from '../../wire/turn-budget.js';
import { type FetchedRow, fetchRows } from '../fetch-rows.js';
import { fetchDivided } from './divided.js';
import { HEADERS, type RowItems } from './row-items.js';

/** Most tokens of envelopes that are kept to be read again, over all rows of a command. */
const MOST_DOUBTFUL = 100_000;
/** Bytes of header lines that count as one token. */
const BYTES_PER_TOKEN = 64;

interface Doubtful {
  summary: MessageSummary;
  envelope: ImapAttribute | undefined;
  header: Buffer | undefined;
  charset: string | null | undefined;
}

/**
 * Rows whose envelopes or headers have raw 8-bit characters that are not UTF-8. Such headers are most likely in the
 * charset of the message's body, so they are read again when that charset is known.
 */
export class DoubtfulRows {
  readonly #rows = new Map<number, Doubtful>();
  readonly #items: RowItems;
  #tokens = 0;

  constructor(items: RowItems) {
    this.#items = items;
  }

  note(summary: MessageSummary, row: FetchedRow): void {
    const envelope = doubtful(summary.envelope && row.items.get('ENVELOPE'));
    const structure = row.items.get('BODYSTRUCTURE');
    // Where the structure came with the headers, they were read with its charset.
    const header = structure === undefined ? doubtful(row.items.get(HEADERS)) : undefined;
    if (!envelope && !header) return;
    const bytes = bytesOf(header);
    this.#tokens += (envelope ? tokensIn(envelope) : 0) + Math.ceil((bytes?.length ?? 0) / BYTES_PER_TOKEN);
    if (this.#tokens > MOST_DOUBTFUL) return;
    const charset = structure === undefined ? undefined : bodyCharset(structure);
    this.#rows.set(row.uid, { summary, envelope, header: bytes, charset });
  }

  async readAgain(connection: ImapConnection): Promise<void> {
    const open = [...this.#rows].filter(([, { charset }]) => charset === undefined).map(([uid]) => uid);
    if (open.length > 0) {
      const reduce = (row: FetchedRow) => {
        const doubtful = this.#rows.get(row.uid);
        if (doubtful) doubtful.charset = bodyCharset(row.items.get('BODYSTRUCTURE'));
        return row.uid;
      };
      // A message whose structure the server refuses is left as it is, and the others are not lost with it.
      await fetchDivided(
        open,
        (uids) => fetchRows(connection, uids.join(','), [atom('BODYSTRUCTURE')], 'uid', { reduce }),
        (uid) => this.#rows.get(uid)?.charset !== undefined,
      );
    }
    for (const { summary, envelope, header, charset } of this.#rows.values()) {
      if (!charset) continue;
      if (envelope) summary.envelope = toEnvelope(envelope, charset);
      if (header) summary.headers = this.#items.headersAgain(header, charset);
      await breathe();
    }
  }
}

function doubtful(attribute: ImapAttribute | undefined): ImapAttribute | undefined {
  return attribute && isAmbiguous(attribute) ? attribute : undefined;
}

function tokensIn(attribute: ImapAttribute): number {
  return Array.isArray(attribute) ? attribute.reduce<number>((sum, member) => sum + tokensIn(member), 1) : 1;
}
