import { measure, type Row } from '../measure.js';
import { atMost, comparison, type Section } from '../report.js';
import { perClickWays, type Stage } from '../stage.js';

const BROKER = 'broker';
const MIB = 1024 * 1024;
const CHUNKS = [
  { name: 'warm imapflow, 64K', bytes: 64 * 1024 },
  { name: 'warm imapflow, 256K', bytes: 256 * 1024 },
  { name: 'warm imapflow, 1M', bytes: MIB },
  { name: 'warm imapflow, 4M', bytes: 4 * MIB },
] as const;

/** An attachment of 2 MB. */
export async function attachment({ near, effort, quick }: Stage): Promise<Section> {
  await near.broker.index();
  const rows = await measure(
    [
      ...perClickWays(near, (actions) => actions.attachment(MIB), quick),
      ...CHUNKS.map(({ name, bytes }) => ({ name, run: () => near.warm.attachment(bytes), burst: 1, warmUp: 3 })),
      { name: BROKER, run: () => near.broker.attachment(), burst: 1, warmUp: 3 },
    ],
    effort,
    quick ? [1] : [1, 8],
  );
  const best = CHUNKS.map(({ name }) => alone(rows, name)).sort((a, b) => a.medianMs - b.medianMs)[0];
  const share = best && alone(rows, BROKER).medianMs / best.medianMs;
  return {
    title: 'An attachment of 2 MB',
    text: `Decoded to its last byte. imapflow asks for an attachment in pieces, whose size is told: 64K is what it does unless told
otherwise. Compared with the best of them for one caller, ${best?.way}. Eight callers of one connection each take turns
piece by piece; the broker has up to three connections for them.`,
    table: comparison(rows, best?.way),
    data: rows,
    targets: [atMost('attachment of 2 MB: time, one caller', share, 1, ' of the best piece size')],
  };
}

function alone(rows: readonly Row[], way: string): Row {
  const found = rows.find((row) => row.way === way && row.callers === 1);
  if (!found) throw new Error(`${way} was not measured.`);
  return found;
}
