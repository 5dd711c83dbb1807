import { AGED } from '../broker-way.js';
import { longUids } from '../content.js';
import { measure, ratio } from '../measure.js';
import { atMost, comparison, type Section, WARM } from '../report.js';
import { perClickWays, type Stage } from '../stage.js';

const [ROUND_TRIP, VALIDATED, AGED_WAY] = ['one round trip (NOOP)', 'broker, validated', 'broker, aged'];
const [WARM_OPEN, OPEN] = ['warm imapflow, open first', 'broker, open first'];

/** The index page, and a message opened from it, with a network of 20 ms before the server. */
export async function distance({ far, effort, quick }: Stage): Promise<Section> {
  const few = { burst: 3, warmUp: 3 };
  await far.broker.walk('INBOX');
  await far.broker.index();
  const next = () => {
    const uids = longUids();
    return () => uids.shift() ?? 0;
  };
  const [warm, broker] = [next(), next()];
  const rows = await measure(
    [
      { name: ROUND_TRIP, run: () => far.flow.noop(), ...few },
      ...perClickWays(far, (actions) => actions.index(), quick),
      { name: WARM, run: () => far.warm.index(), ...few },
      { name: VALIDATED, run: () => far.broker.index(), ...few },
      { name: AGED_WAY, run: () => far.broker.index(AGED), ...few },
      { name: WARM_OPEN, run: () => far.warm.open(warm()), ...few },
      { name: OPEN, run: () => far.broker.open(broker()), ...few },
    ],
    { ...effort, rounds: quick ? 3 : 10 },
    [1],
  );
  return {
    title: 'At a distance of 20 ms',
    text: `The same index page, and messages of 20 KB opened from it for the first time, with a relay before the server that delays each byte by 10 ms in each direction. Between the web
application and the broker, and between it and imapproxy, there is no delay: they are on one machine.`,
    table: comparison(rows, ROUND_TRIP),
    data: rows,
    targets: [
      atMost('index page validated at 20 ms', ratio(rows, VALIDATED, ROUND_TRIP), 1.1, ' round trips'),
      atMost('index page aged at 20 ms', ratio(rows, AGED_WAY, ROUND_TRIP), 0.1, ' round trips'),
    ],
  };
}
