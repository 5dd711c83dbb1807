import { AGED } from '../broker-way.js';
import { longUids } from '../content.js';
import { measure, ratio } from '../measure.js';
import { atMost, comparison, type Section, WARM } from '../report.js';
import { perClickWays, type Stage } from '../stage.js';

/** Each opens another message, and there are 400. */
const WARM_UP = 200;
const QUICK_WARM_UP = 20;
const [FIRST, AGAIN, AGED_AGAIN, ECHO] = ['broker', 'broker, validated', 'broker, aged', 'JSON echo'];

/** A message of 20 KB that no client has opened yet. */
export async function openFirst({ near, effort, quick }: Stage): Promise<Section> {
  await near.broker.walk('INBOX');
  await near.broker.index();
  const next = () => {
    const uids = longUids();
    return () => uids.shift() ?? 0;
  };
  const [perClick, warm, broker] = [next(), next(), next()];
  const warmUp = quick ? QUICK_WARM_UP : WARM_UP;
  const rows = await measure(
    [
      ...perClickWays(near, (actions) => actions.open(perClick()), quick),
      { name: WARM, run: () => near.warm.open(warm()), warmUp },
      { name: FIRST, run: () => near.broker.open(broker()), warmUp },
    ],
    effort,
    [1],
  );
  const median = (way: string) => rows.find((row) => row.way === way)?.medianMs ?? 0;
  return {
    title: 'Open a message, first',
    text: `Text and html of a message of 20 KB, with envelope, flags and structure; each call opens another one, so no way has it in
memory. The others need two round trips, one for the structure and one for the texts. The broker has listed the messages, as it has for
a user who clicks on one, and asks in one round trip what the message is and whether the folder is as it knows it.`,
    table: comparison(rows),
    data: rows,
    targets: [atMost('open first: time beyond warm', median(FIRST) - median(WARM), 0.5, ' ms')],
  };
}

/** The same message over and over. */
export async function openAgain({ near, echo, effort, quick }: Stage): Promise<Section> {
  const [uid = 0] = longUids();
  await near.broker.index();
  const opened = await near.broker.open(uid);
  await echo.learn('message', opened);
  const rows = await measure(
    [
      ...perClickWays(near, (actions) => actions.open(uid), quick),
      { name: WARM, run: () => near.warm.open(uid) },
      { name: AGAIN, run: () => near.broker.open(uid) },
      { name: AGED_AGAIN, run: () => near.broker.open(uid, AGED), burst: 10 },
      { name: ECHO, run: () => echo.call('message'), burst: 10 },
    ],
    effort,
  );
  const kilobytes = (Buffer.byteLength(JSON.stringify(opened)) / 1000).toFixed(0);
  return {
    title: 'Open a message, again',
    text: `The same message each time. Validated: the broker has the texts in memory and asks the server for the flags. Aged: the
caller allows an answer from memory. JSON echo: the same answer, ${kilobytes} KB.`,
    table: comparison(rows),
    data: rows,
    targets: [atMost('open again, from memory: time, one caller', ratio(rows, AGED_AGAIN, ECHO), 1.5, ' of the echo')],
  };
}
