import type { BrokerWay } from '../broker-way.js';
import { longUids } from '../content.js';
import type { FlowActions } from '../imapflow-ways.js';
import { measure, type Row, ratio } from '../measure.js';
import { atMost, comparison, type Section, WARM } from '../report.js';
import { perClickWays, type Stage } from '../stage.js';

const BROKER = 'broker';

/** A flag that is set and taken away again. */
export async function setFlag(stage: Stage): Promise<Section> {
  await stage.near.broker.index();
  const rows = await allWays(stage, () => {
    const free = longUids()
      .slice(0, 50)
      .map((uid) => ({ uid, on: false }));
    // A message is one caller's for the time of his call: of two changes at once only the server knows which is the last.
    return async (actions) => {
      const message = free.shift();
      if (message === undefined) throw new Error('More callers than messages.');
      message.on = !message.on;
      try {
        await actions.flag(message.uid, message.on);
      } finally {
        free.push(message);
      }
    };
  });
  return {
    title: 'Set a flag',
    text: `Adds \\Flagged to one message, or takes it away: each call changes something. A message is changed by one caller at a
time.`,
    table: comparison(rows),
    data: rows,
    targets: [atMost('set a flag: time, one caller', ratio(rows, BROKER, WARM), 1.3, ' of warm')],
  };
}

/** Messages and unseen ones of five folders. */
export async function folderCounts(stage: Stage): Promise<Section> {
  const rows = await allWays(stage, () => (actions) => actions.counts());
  return {
    title: 'Counts of five folders',
    text: `Messages, unseen ones and the next uid of five folders of 60 messages: five STATUS on the warm connection, mailbox.status of
the broker, which needs one command where the server offers LIST-STATUS.`,
    table: comparison(rows),
    data: rows,
    targets: [atMost('counts of five folders: time, one caller', ratio(rows, BROKER, WARM), 0.8, ' of warm')],
  };
}

/** All messages from one sender. */
export async function search(stage: Stage): Promise<Section> {
  const rows = await allWays(stage, () => (actions) => actions.search());
  return {
    title: 'Search',
    text: `The newest 50 of all messages from one sender, with the fields of an index page: a search, and a fetch of the page. The broker keeps what it
found while nothing changes in the folder, and asks the server each time whether that is so.`,
    table: comparison(rows),
    data: rows,
    targets: [],
  };
}

type Shared = Pick<FlowActions, 'flag' | 'counts' | 'search'> & Pick<BrokerWay, 'flag' | 'counts' | 'search'>;

/** `make` is called once for each way, so that what it counts is that way's own. */
function allWays({ near, effort, quick }: Stage, make: () => (actions: Shared) => Promise<void>): Promise<Row[]> {
  const [perClick, warm, broker] = [make(), make(), make()];
  return measure(
    [
      ...perClickWays(near, perClick, quick),
      { name: WARM, run: () => warm(near.warm) },
      { name: BROKER, run: () => broker(near.broker) },
    ],
    effort,
  );
}
