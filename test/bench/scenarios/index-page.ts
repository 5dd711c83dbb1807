import { AGED, BrokerWay } from '../broker-way.js';
import { giveMail, index } from '../fill.js';
import { measure, ratio } from '../measure.js';
import { atLeast, atMost, comparison, type Section, WARM } from '../report.js';
import { perClickWays, type Stage } from '../stage.js';

const COLD_USER = 'cold';
const COLD_WARM_UP = 8;
/** Folders that are paged through before: so many rows compile what reads them. */
const WALKED = 5;
const [COLD, VALIDATED, AGED_WAY, ECHO] = ['broker, cold', 'broker, validated', 'broker, aged', 'JSON echo'];

/** The newest 50 of 2,000 messages. */
export async function indexPage(stage: Stage): Promise<Section> {
  const { near, echo, effort, quick } = stage;
  await near.broker.index();
  const page = await near.broker.index();
  await echo.learn('page', page);
  const rows = await measure(
    [
      ...perClickWays(near, (actions) => actions.index(), quick),
      { name: WARM, run: () => near.warm.index() },
      { name: COLD, run: await coldPages(stage), burst: 1, warmUp: COLD_WARM_UP, windows: 0 },
      { name: VALIDATED, run: () => near.broker.index() },
      { name: AGED_WAY, run: () => near.broker.index(AGED), burst: 10 },
      { name: ECHO, run: () => echo.call('page'), burst: 10 },
    ],
    effort,
  );
  const many = { callers: 32, of: 'perSecond' } as const;
  const sources = [page, await near.broker.index(AGED)].map(({ meta }) => meta.source);
  const kilobytes = (Buffer.byteLength(JSON.stringify(page)) / 1000).toFixed(0);
  return {
    title: 'Index page',
    text: `The newest 50 of an INBOX of 2,000 messages, with envelope, flags, size and date. Cold: the broker has a
connection that is logged in but has never listed the folder; each call is to another folder, each of which Dovecot has
indexed. Before, other folders were paged through, so that the code that reads rows is compiled in all ways. Validated: the broker knows the folder and asks the server during the request whether it is still so. Aged: the
caller allows an answer from memory. JSON echo: a bare WebSocket server that sends the same answer, ${kilobytes} KB, from memory. What the broker
says of its answers, validated and aged: ${sources.join(', ')}.`,
    table: comparison(rows),
    data: rows,
    targets: [
      atMost('index page validated: time, one caller', ratio(rows, VALIDATED, WARM), 0.25, ' of warm'),
      atLeast('index page validated: calls a second, 32 callers', ratio(rows, VALIDATED, WARM, many), 6, ' times warm'),
      atLeast('index page aged: calls a second, 32 callers', ratio(rows, AGED_WAY, ECHO, many), 0.5, ' of the echo'),
      atMost('index page cold: time, one caller', ratio(rows, COLD, WARM), 1.2, ' of warm'),
    ],
  };
}

/** Lists a folder at each call that no client has listed before. */
async function coldPages({ dovecot, broker, effort, quick }: Stage): Promise<() => Promise<unknown>> {
  const folders = Array.from({ length: effort.rounds + COLD_WARM_UP + WALKED }, (_, at) => `Cold ${at}`);
  for (const folder of folders) giveMail(dovecot, COLD_USER, folder);
  await index(dovecot, COLD_USER, folders);
  const way = await BrokerWay.open(broker.client(), 'near', COLD_USER, dovecot.password);
  for (const folder of folders.splice(0, quick ? 1 : WALKED)) await way.walk(folder);
  return () => {
    const mailbox = folders.pop();
    if (mailbox === undefined) throw new Error('No folder is left that was never listed.');
    return way.index({}, mailbox);
  };
}
